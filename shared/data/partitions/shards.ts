import { GraftError } from '../../errors.ts'
import { groupByClass } from '../group-by-class.ts'
import { cutEvenly } from './cut.ts'
import { type Partitioner, toParts } from './partitioner.ts'

/**
 * Sorts the examples by class, cuts them into clients * N even shards and deals each client N of them.
 * Shards cross class borders, so a client may have up to 2N classes. Nobody is left without, as a shard
 * has at least one example.
 * Source: the non-IID partition of McMahan et al. 2017, arXiv:1602.05629, section 3 (N = 2).
 */
export function shards(shardsPerClient: number): Partitioner {
  return ({ labels, numClasses, clients, rng }) => {
    const numShards = clients * shardsPerClient
    if (numShards > labels.length) {
      const problem = `shards:${shardsPerClient} cuts ${numShards} shards for ${clients} clients, but there are ${labels.length} examples.`
      throw new GraftError('GRAFT_PARTITION_INVALID', problem)
    }
    const sorted = groupByClass(labels, numClasses).flat()
    const dealt = rng.shuffle(cutEvenly(sorted, numShards))
    return toParts(cutEvenly(dealt, clients).map((hand) => hand.flat()))
  }
}
