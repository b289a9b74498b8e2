import { GraftError } from '../../shared/errors.ts'
import type { Level } from '../../shared/model/levels.ts'
import type { Weights } from '../../shared/model/weights.ts'
import { measureWidths } from './neuron-axes.ts'
import { inIdOrder } from './parents.ts'
import { assertParentsAgree, type Shapes } from './parents-agree.ts'
import type { FusionInput, Parent, Strategy } from './strategy.ts'

/**
 * Federated averaging: `w = sum_k (n_k / n) w_k` with `n = sum_k n_k`, over every weight, the moving
 * statistics of batch normalisation included. McMahan et al. 2017 (arXiv 1602.05629), Algorithm 1.
 * Summed in float64 in the order of the ids; one parent is in memory at a time.
 */
export const fedavg: Strategy = {
  name: 'fedavg',
  summary: 'mean of the weights, weighted by examples',
  paper: 'arXiv 1602.05629, Algorithm 1',
  options: {},
  fuse,
}

async function fuse({ parents, levels }: FusionInput): Promise<Weights> {
  const ordered = inIdOrder(parents)
  const n = ordered.reduce((total, { numExamples }) => total + numExamples, 0)
  let first: Shapes | null = null
  let sums: readonly Float64Array[] = []
  for (const parent of ordered) {
    const weights = await parent.load()
    if (first === null) {
      assertWidths(weights, levels, parent)
      first = { id: parent.id, weights: weights.map(({ name, shape }) => ({ name, shape })) }
      sums = weights.map(({ data }) => new Float64Array(data.length))
    }
    assertParentsAgree(first, { id: parent.id, weights })
    addScaled(sums, weights, parent.numExamples / n)
  }
  return (first?.weights ?? []).map(({ name, shape }, i) => ({
    name,
    shape,
    data: Float32Array.from(sums[i]!),
  }))
}

function assertWidths(weights: Weights, levels: readonly Level[], { id }: Parent): void {
  const widths = measureWidths(weights, levels, id)
  const odd = levels.find(({ width }, i) => width !== widths[i])
  if (odd !== undefined) {
    throw new GraftError(
      'GRAFT_SHAPE_MISMATCH',
      `Parent ${id} has ${widths[odd.index]!} neurons in ${odd.layer}, the fused network ${odd.width}.`,
    )
  }
}

function addScaled(sums: readonly Float64Array[], weights: Weights, scale: number): void {
  weights.forEach(({ data }, w) => {
    const sum = sums[w]!
    for (let i = 0; i < data.length; i++) sum[i]! += scale * data[i]!
  })
}
