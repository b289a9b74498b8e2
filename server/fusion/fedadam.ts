import { blockStrategy } from './block-strategy.ts'
import {
  NEEDS_GLOBAL_MODEL,
  optimizeGlobalModel,
  type ServerOptimizer,
} from './server-optimizer.ts'
import { chooseOptions } from './strategy-options.ts'

const OPTIONS = {
  /** Step size of the server, eta; the paper tunes it for each task. */
  rate: ['0.01', '0.001', '0.003', '0.03', '0.1'],
  /** Share of the first moment that is kept. */
  beta1: ['0.9', '0', '0.5', '0.99'],
  /** Share of the second moment that is kept. */
  beta2: ['0.99', '0.9', '0.999'],
  /** How far the step sizes adapt: the smaller, the further. */
  tau: ['1e-3', '1e-5', '1e-4', '1e-2', '1e-1'],
} as const

/**
 * Adam on the server: `m = beta1 m + (1 - beta1) delta`, `v = beta2 v + (1 - beta2) delta^2`,
 * `w = w + rate m / (sqrt(v) + tau)`, where `delta` is what averaging would add to the global model; m begins with
 * 0, v with tau^2, and no bias is corrected. Reddi et al. 2020 (arXiv 2003.00295), Algorithm 2, FedAdam;
 * parents are weighted by examples, as in `fedavg`, where the algorithm takes them alike.
 *
 * `delta` is taken from the published model that the round began with, so what tuning adds to a model is no part
 * of the moments. The moments belong to the published model: a round whose model is not published leaves
 * them as they were.
 */
export const fedadam = blockStrategy({
  name: 'fedadam',
  summary: 'Adam on the global model, with what fedavg would add to it for a gradient',
  paper: 'arXiv 2003.00295, Algorithm 2',
  options: OPTIONS,
  onlyInRounds: NEEDS_GLOBAL_MODEL,
  isStateful: true,
  open: async (input) => {
    const { rate, beta1, beta2, tau } = chooseOptions('fedadam', OPTIONS, input.options)
    const numbers = { rate: Number(rate), beta1: Number(beta1), beta2: Number(beta2) }
    return optimizeGlobalModel('fedadam', input, adam({ ...numbers, tau: Number(tau) }))
  },
})

type AdamNumbers = Readonly<Record<'rate' | 'beta1' | 'beta2' | 'tau', number>>

function adam({ rate, beta1, beta2, tau }: AdamNumbers): ServerOptimizer {
  return {
    moments: { m: 0, v: tau ** 2 },
    step(delta, [m, v]) {
      return delta.map((d, i) => {
        const first = beta1 * m![i]! + (1 - beta1) * d
        const second = beta2 * v![i]! + (1 - beta2) * d * d
        m![i] = first
        v![i] = second
        return (rate * first) / (Math.sqrt(second) + tau)
      })
    },
  }
}
