import { cutEvenly } from './cut.ts'
import { type PartitionInput, toParts } from './partitioner.ts'

/**
 * Shuffles all examples and cuts them evenly: sizes differ by at most 1, so nobody is left without.
 * Source: the IID partition of McMahan et al. 2017, arXiv:1602.05629, section 3.
 */
export function iid({ labels, clients, rng }: PartitionInput): Int32Array[] {
  return toParts(cutEvenly(rng.shuffle([...labels.keys()]), clients))
}
