import { FUSED, type OfflineGrid } from '../offline/offline-grid.ts'
import type { OfflinePreset } from '../preset.ts'
import { HF, KF, KF_GRADIENT } from './ni-methods.ts'
import { NI_NONIID } from './ni-noniid.ts'
import { NI, OURS } from './sources.ts'

const SCORES = ['uniform', 'conductance', 'deeplift'] as const
const BASES = [HF, KF, KF_GRADIENT, 'otfusion', 'git-rebasin']
const withScores = (method: string, scores: (typeof SCORES)[number]) => `${method}:scores=${scores}`

const gridOf = (base: OfflineGrid, bases: readonly string[]): OfflineGrid => ({
  ...base,
  parents: [2],
  methods: bases.flatMap((method) => SCORES.map((scores) => withScores(method, scores))),
  tuning: { ...base.tuning, epochs: [] },
})

export const NI_SCORES: OfflinePreset = {
  kind: 'offline',
  name: 'ni-scores',
  summary: 'what attribution scores add to HF, KF, OTFusion and Git Re-Basin',
  full: gridOf(NI_NONIID.full, BASES),
  quick: gridOf(NI_NONIID.quick, [HF, KF, 'otfusion', 'git-rebasin']),
  claims: [
    {
      id: 'scores-help-linear',
      source: NI,
      says: 'Attribution scores make HF and KF linear better than uniform weights.',
      comparisons: [HF, KF].map((method) => ({
        left: { method: withScores(method, 'conductance'), measure: FUSED },
        relation: 'above',
        right: { method: withScores(method, 'uniform'), measure: FUSED },
      })),
    },
    {
      id: 'scores-interchangeable',
      source: OURS,
      says: 'Conductance and DeepLIFT are interchangeable: within a point for HF and KF linear.',
      comparisons: [HF, KF].map((method) => ({
        left: { method: withScores(method, 'conductance'), measure: FUSED },
        relation: 'near',
        right: { method: withScores(method, 'deeplift'), measure: FUSED },
        by: 0.01,
      })),
    },
    {
      id: 'scores-help-others',
      source: OURS,
      says: 'They help OTFusion and Git Re-Basin as well.',
      comparisons: ['otfusion', 'git-rebasin'].map((method) => ({
        left: { method: withScores(method, 'conductance'), measure: FUSED },
        relation: 'above',
        right: { method: withScores(method, 'uniform'), measure: FUSED },
      })),
    },
  ],
}
