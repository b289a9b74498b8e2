import { GraftError } from '../../shared/errors.ts'
import type { Strategy } from './strategy.ts'

/**
 * All parents side by side, their probabilities weighed by class shares: what a fused network is measured
 * by. It is as large as all parents together, so it can be judged, but not fused or published.
 */
export const ensemble: Strategy = {
  name: 'ensemble',
  holds: 'networks',
  summary: 'all parents together, for comparison only',
  paper: 'arXiv 2507.00037, baseline',
  options: {},
  isComparison: true,
  async fuse() {
    throw new GraftError(
      'GRAFT_STRATEGY_UNKNOWN',
      'The ensemble of the parents is no single network, so it can be measured but not published.',
    )
  },
}
