import { FUSED } from '../offline/offline-grid.ts'
import type { OfflinePreset } from '../preset.ts'
import { NT_PAIRS } from './nt-pairs.ts'
import { OURS } from './sources.ts'

const ATTRIBUTION = 'nt:importance=attribution'
const L1 = 'nt:importance=l1'
const METHODS = ['nt', L1, ATTRIBUTION]
/** Parents that know the same, and parents that do not. */
const PARTITIONS = ['same', 'labels:5']

export const NT_NORMS: OfflinePreset = {
  kind: 'offline',
  name: 'nt-norms',
  summary: 'what makes a neuron important: L2 norm, L1 norm or attribution scores',
  full: { ...NT_PAIRS.full, partitions: PARTITIONS, methods: METHODS },
  quick: { ...NT_PAIRS.quick, datasets: ['mnist'], partitions: PARTITIONS, methods: METHODS },
  claims: [
    {
      id: 'norms-alike',
      source: OURS,
      says: 'Whether neurons are chosen by L1 or L2 norm matters little: within half a point after one epoch.',
      comparisons: [
        {
          left: { method: L1, measure: '1 epoch' },
          relation: 'near',
          right: { method: 'nt', measure: '1 epoch' },
          by: 0.005,
        },
      ],
    },
    {
      id: 'attribution-keeps-more',
      source: OURS,
      says: 'Attribution scores leave a better network right after fusion than the L2 norm of the paper.',
      comparisons: [
        {
          left: { method: ATTRIBUTION, measure: FUSED },
          relation: 'above',
          right: { method: 'nt', measure: FUSED },
        },
      ],
    },
    {
      id: 'attribution-no-matter-tuned',
      source: OURS,
      says: 'After 20 epochs of fine-tuning the difference is gone: within half a point.',
      comparisons: [
        {
          left: { method: ATTRIBUTION, measure: '20 epochs' },
          relation: 'near',
          right: { method: 'nt', measure: '20 epochs' },
          by: 0.005,
        },
      ],
    },
  ],
}
