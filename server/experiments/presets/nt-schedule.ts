import type { OfflineGrid } from '../offline/offline-grid.ts'
import type { OfflinePreset } from '../preset.ts'
import { NT_PAIRS } from './nt-pairs.ts'
import { ntCode } from './sources.ts'

const METHODS = ['nt', 'fedavg']
const RATES = [0.01, 0.001, 0.0001]

const gridOf = (pairs: OfflineGrid, epochs: readonly number[]): OfflineGrid => ({
  ...pairs,
  methods: METHODS,
  tuning: { ...pairs.tuning, learningRates: RATES, epochs },
})

export const NT_SCHEDULE: OfflinePreset = {
  kind: 'offline',
  name: 'nt-schedule',
  summary: 'how nt is fine-tuned: three learning rates, 10 to 50 epochs',
  full: gridOf(NT_PAIRS.full, [10, 30, 50]),
  quick: gridOf({ ...NT_PAIRS.quick, datasets: ['mnist'] }, [10, 30]),
  claims: [
    {
      id: 'schedule-of-the-paper',
      source: ntCode('ex11_comparison.py'),
      says: 'The rate and epochs of the paper, 0.01 for 30, are a good choice: no other rate is better by half a point.',
      comparisons: RATES.slice(1).map((rate) => ({
        left: { method: 'nt', measure: '30 epochs at 0.01' },
        relation: 'above',
        right: { method: 'nt', measure: `30 epochs at ${rate}` },
        by: -0.005,
      })),
    },
  ],
}
