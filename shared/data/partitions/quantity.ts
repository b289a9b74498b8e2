import { dirichlet } from '../../numeric/random.ts'
import { cutByShares, fillEmpty } from './cut.ts'
import { type Partitioner, toParts } from './partitioner.ts'

/**
 * Every client has the same mix of classes but another number of examples: sizes are drawn from a
 * symmetric Dirichlet distribution. A client left without examples gets one of the largest client
 * ({@link fillEmpty}).
 *
 * Source: Li et al. 2022 (NIID-Bench), arXiv:2102.02079, quantity skew: q ~ Dir_N(alpha).
 */
export function quantity(alpha: number): Partitioner {
  return ({ labels, clients, rng }) => {
    const shares = dirichlet(new Array<number>(clients).fill(alpha), rng.split('sizes'))
    const parts = cutByShares(rng.split('examples').shuffle([...labels.keys()]), shares)
    fillEmpty(parts, rng.split('fill'))
    return toParts(parts)
  }
}
