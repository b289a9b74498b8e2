import { GraftError } from '../../shared/errors.ts'
import type { NeuronGraph } from '../../shared/model/neuron-graph.ts'
import { blockStrategy } from './block-strategy.ts'
import { inIdOrder } from './parents.ts'
import { chooseOptions } from './strategy-options.ts'
import type { FusionInput, OpenFusion, ParentCount } from './strategy.ts'
import { trimmedMeans } from './trimmed-means.ts'

const OPTIONS = {
  /** Share of the parents that is left out at each end, and that may be wrong. */
  beta: ['0.1', '0.05', '0.15', '0.2', '0.25', '0.3', '0.35', '0.4', '0.45'],
} as const

/**
 * Coordinate-wise trimmed mean: in each coordinate, the mean of the parents' values without the smallest and
 * the largest share beta, each parent counting alike. Yin et al. 2018 (arXiv 1803.01498), Definition 2.
 *
 * The paper takes beta n for a whole number; we round it up, as a share beta of wrong parents has to be left
 * out whole. Of ten parents or fewer, beta = 0.1 leaves one out at each end.
 */
export const trimmedMean = blockStrategy({
  name: 'trimmed-mean',
  summary: 'mean of each weight without its smallest and largest values',
  paper: 'arXiv 1803.01498, Definition 2',
  options: OPTIONS,
  check,
  open,
})

/** So that 0.1 of 30 is 3 and not 4, whatever the product's last digit is. */
const ROUNDING = 1e-9

function check(
  _graph: NeuronGraph,
  { fewest }: Pick<ParentCount, 'fewest'>,
  given: FusionInput['options'],
): number {
  const { beta } = chooseOptions('trimmed-mean', OPTIONS, given)
  const trim = Math.ceil(Number(beta) * fewest - ROUNDING)
  if (2 * trim < fewest) return trim
  throw new GraftError(
    'GRAFT_STRATEGY_UNKNOWN',
    `trimmed-mean:beta=${beta} leaves out ${trim} at each end, and of ${fewest} parents that leaves none; ` +
      'take more parents, or a higher quorum, or median.',
  )
}

async function open(input: FusionInput): Promise<OpenFusion> {
  const { length } = inIdOrder(input.parents)
  return trimmedMeans(input, check(input.graph, { fewest: length }, input.options))
}
