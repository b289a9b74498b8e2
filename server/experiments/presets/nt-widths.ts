import { FUSE_SECONDS, type OfflineGrid } from '../offline/offline-grid.ts'
import type { OfflinePreset } from '../preset.ts'
import { NT_PAIRS } from './nt-pairs.ts'
import { NT, OURS } from './sources.ts'

const OT = 'otfusion:by=weights'
const gridOf = (base: OfflineGrid, widths: readonly number[]): OfflineGrid => ({
  ...base,
  models: widths.map((width) => `mlp:IN-${width}-${width}-${width}-OUT`),
  methods: ['nt', 'fedavg', OT],
  tuning: { ...base.tuning, epochs: [1, 5] },
})

export const NT_WIDTHS: OfflinePreset = {
  kind: 'offline',
  name: 'nt-widths',
  summary: 'pairs of narrow and wide MLPs: accuracy and time of fusion by width',
  full: gridOf({ ...NT_PAIRS.full, datasets: ['cifar10'] }, [32, 64, 128, 256, 512, 1024, 2048]),
  quick: gridOf({ ...NT_PAIRS.quick, datasets: ['mnist'], seeds: [1, 2] }, [32, 128, 512]),
  claims: [
    {
      id: 'widths-faster-than-ot',
      source: NT,
      says: 'NT fuses faster than optimal transport, at every width.',
      comparisons: [
        {
          left: { method: 'nt', measure: FUSE_SECONDS },
          relation: 'below',
          right: { method: OT, measure: FUSE_SECONDS },
        },
      ],
    },
    {
      id: 'widths-above-average',
      source: OURS,
      says: 'After one epoch NT is above the average, at every width.',
      comparisons: [
        {
          left: { method: 'nt', measure: '1 epoch' },
          relation: 'above',
          right: { method: 'fedavg', measure: '1 epoch' },
        },
      ],
    },
  ],
}
