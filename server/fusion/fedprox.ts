import { blockStrategy } from './block-strategy.ts'
import { fedavg } from './fedavg.ts'
import { chooseOptions } from './strategy-options.ts'

const OPTIONS = {
  /** Weight of the proximal term; the values that the paper tries, its section 5.3. */
  mu: ['0.01', '0.001', '0.1', '1'],
} as const

/**
 * FedProx: each client minimises `F_k(w) + mu/2 |w - w^t|^2`, its own loss and how far it has gone from the
 * global model, and the results are averaged. Li et al. 2020 (arXiv 1812.06127), Algorithm 2.
 *
 * The paper draws clients by their examples and averages them alike; every client of a cohort takes part
 * here, so they are weighted by examples, as in `fedavg`. Local epochs are the same for all, not gamma-inexact.
 */
export const fedprox = blockStrategy({
  name: 'fedprox',
  summary: 'fedavg of clients that are held near the global model while they train',
  paper: 'arXiv 1812.06127, Algorithm 2',
  options: OPTIONS,
  onlyInRounds:
    'differs from fedavg in how clients train, and these networks are trained: take fedavg',
  clientTraining: (options) => ({
    proximal: Number(chooseOptions('fedprox', OPTIONS, options).mu),
  }),
  open: (input) => fedavg.open({ ...input, options: {} }),
})
