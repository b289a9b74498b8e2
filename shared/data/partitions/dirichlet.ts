import { dirichlet } from '../../numeric/random.ts'
import type { Rng } from '../../numeric/rng.ts'
import { groupByClass } from '../group-by-class.ts'
import { cutByShares, fillEmpty } from './cut.ts'
import { type Partitioner, type PartitionInput, toParts } from './partitioner.ts'

/**
 * Divides each class over the clients by shares drawn from a symmetric Dirichlet distribution: a small
 * alpha gives a class to few clients, a large one divides it evenly. A client left without examples
 * gets one of the largest client ({@link fillEmpty}).
 *
 * Source: Yurochkin et al. 2019, arXiv:1905.12022, section 4: p_k ~ Dir_J(alpha), client j gets the share
 * p_k,j of class k. Hsu et al. 2019, arXiv:1909.06335, brought the idea but draw the other way round, for
 * each client a distribution over the classes, which fixes client sizes; ours vary.
 */
export function dirichletByClass(alpha: number): Partitioner {
  return (input) =>
    divideClasses(input, (rng) => dirichlet(new Array<number>(input.clients).fill(alpha), rng))
}

/**
 * The same with unequal concentrations, spaced evenly from 1 to 1/ratio over the clients in an order
 * shuffled for each class: everyone has some of every class, and of each class somebody has much more.
 *
 * Source: the non-IID split of "Model Fusion via Neuron Interpolation", arXiv:2507.00037 (ratio 0.2).
 */
export function dirichletOrdered(ratio: number): Partitioner {
  return (input) => {
    const { clients } = input
    const step = clients > 1 ? (1 / ratio - 1) / (clients - 1) : 0
    const alphas = Array.from({ length: clients }, (_, i) => 1 + i * step)
    return divideClasses(input, (rng) => dirichlet(rng.shuffle(alphas), rng))
  }
}

function divideClasses(
  { labels, numClasses, clients, rng }: PartitionInput,
  drawShares: (rng: Rng) => Float64Array,
): Int32Array[] {
  const parts = Array.from({ length: clients }, (): number[] => [])
  groupByClass(labels, numClasses).forEach((group, c) => {
    const classRng = rng.split(`class-${c}`)
    const runs = cutByShares(classRng.shuffle(group), drawShares(classRng))
    runs.forEach((run, client) => parts[client]!.push(...run))
  })
  fillEmpty(parts, rng.split('fill'))
  return toParts(parts)
}
