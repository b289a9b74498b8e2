import { blockStrategy } from './block-strategy.ts'
import {
  NEEDS_GLOBAL_MODEL,
  optimizeGlobalModel,
  type ServerOptimizer,
} from './server-optimizer.ts'
import { chooseOptions } from './strategy-options.ts'

const OPTIONS = {
  /** Share of the momentum that is kept from round to round. */
  beta: ['0.9', '0', '0.5', '0.7', '0.97', '0.99', '0.997'],
} as const

/**
 * Federated averaging with server momentum: `v = beta v + delta`, `w = w + v`, where `delta` is what averaging
 * would add to the global model. Hsu et al. 2019 (arXiv 1909.06335), section 4.3; with beta = 0 it is `fedavg`.
 *
 * `delta` is taken from the published model that the round began with, so what tuning adds to a model is no part
 * of the momentum. The momentum belongs to the published model: a round whose model is not published leaves
 * both as they were.
 */
export const fedavgm = blockStrategy({
  name: 'fedavgm',
  summary: 'fedavg with momentum of the global model',
  paper: 'arXiv 1909.06335, section 4.3',
  options: OPTIONS,
  onlyInRounds: NEEDS_GLOBAL_MODEL,
  isStateful: true,
  open: async (input) => {
    const { beta } = chooseOptions('fedavgm', OPTIONS, input.options)
    return optimizeGlobalModel('fedavgm', input, momentum(Number(beta)))
  },
})

function momentum(beta: number): ServerOptimizer {
  return {
    moments: { momentum: 0 },
    step(delta, [velocity]) {
      for (let i = 0; i < delta.length; i++) velocity![i] = beta * velocity![i]! + delta[i]!
      return velocity!
    },
  }
}
