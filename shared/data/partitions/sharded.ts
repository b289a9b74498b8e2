import { GraftError } from '../../errors.ts'
import { groupByClass } from '../group-by-class.ts'
import { cutEvenly } from './cut.ts'
import { type PartitionInput, toParts } from './partitioner.ts'

/**
 * Deals whole classes over the clients, none twice; numbers of classes differ by at most 1, so nobody is
 * left without while there are as many classes as clients.
 * Source: the sharded split of "Model Fusion via Neuron Interpolation", arXiv:2507.00037.
 */
export function sharded({ labels, numClasses, clients, rng }: PartitionInput): Int32Array[] {
  const present = groupByClass(labels, numClasses).filter((group) => group.length > 0)
  if (clients > present.length) {
    const problem = `sharded deals ${present.length} whole classes, which is too few for ${clients} clients.`
    throw new GraftError('GRAFT_PARTITION_INVALID', problem)
  }
  return toParts(cutEvenly(rng.shuffle(present), clients).map((hand) => hand.flat()))
}
