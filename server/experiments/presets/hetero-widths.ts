import { CONTROLS, FUSED, type OfflineGrid } from '../offline/offline-grid.ts'
import type { OfflinePreset } from '../preset.ts'
import { NI_NONIID } from './ni-noniid.ts'
import { OURS } from './sources.ts'

const METHODS = ['nt', 'nt:importance=attribution', 'otfusion', 'kf-linear', 'kf-gradient']
const gridOf = (base: OfflineGrid, widths: readonly number[]): OfflineGrid => ({
  ...base,
  models: [`mlp:IN-${widths[1] ?? 1}-OUT`],
  parentModels: widths.map((width) => `mlp:IN-${width}-OUT`),
  parents: [widths.length],
  methods: METHODS,
})

export const HETERO_WIDTHS: OfflinePreset = {
  kind: 'offline',
  name: 'hetero-widths',
  summary: 'networks of three widths fused into one of the middle width',
  full: gridOf(NI_NONIID.full, [128, 256, 512]),
  quick: gridOf(NI_NONIID.quick, [32, 64, 128]),
  claims: [
    {
      id: 'hetero-beats-alone',
      source: OURS,
      says: 'Fused from parents of other widths and tuned for five epochs, the best network is above one of the same proxy images alone.',
      comparisons: [
        {
          left: { method: METHODS, measure: '5 epochs' },
          relation: 'above',
          right: { method: CONTROLS.alone, measure: '5 epochs' },
        },
      ],
    },
    {
      id: 'hetero-beats-parent',
      source: OURS,
      says: 'Right after fusion, the best network is above the best parent, whatever its width.',
      comparisons: [
        {
          left: { method: METHODS, measure: FUSED },
          relation: 'above',
          right: { method: CONTROLS.bestParent, measure: FUSED },
        },
      ],
    },
  ],
}
