import { CONTROLS, FUSED } from '../offline/offline-grid.ts'
import type { OfflinePreset } from '../preset.ts'
import { NT_PAIRS } from './nt-pairs.ts'
import { ntCode } from './sources.ts'

/** Nothing can be gained from a copy: what is lost is the price of transplantation alone. */
export const NT_SELF: OfflinePreset = {
  kind: 'offline',
  name: 'nt-self',
  summary: 'a network fused with its own copy by nt: the price of transplantation alone',
  full: { ...NT_PAIRS.full, partitions: ['copy'], methods: ['nt', 'nt:variant=prune-merge'] },
  quick: { ...NT_PAIRS.quick, partitions: ['copy'], methods: ['nt', 'nt:variant=prune-merge'] },
  claims: [
    {
      id: 'self-drops',
      source: ntCode('ex8a_self_nt.py'),
      says: 'A network fused with itself is worse right after fusion.',
      comparisons: [
        {
          left: { method: 'nt', measure: FUSED },
          relation: 'below',
          right: { method: CONTROLS.bestParent, measure: FUSED },
        },
      ],
    },
    {
      id: 'self-recovers',
      source: ntCode('ex8a_self_nt.py'),
      says: 'One epoch of fine-tuning recovers that (here: to within a point).',
      comparisons: [
        {
          left: { method: 'nt', measure: '1 epoch' },
          relation: 'above',
          right: { method: CONTROLS.bestParent, measure: FUSED },
          by: -0.01,
        },
      ],
    },
    {
      id: 'self-no-gain',
      source: ntCode('ex8a_self_nt.py'),
      says: 'There is no benefit in it (here: the network alone, tuned alike, is at most half a point worse).',
      comparisons: [
        {
          left: { method: CONTROLS.bestParent, measure: '20 epochs' },
          relation: 'above',
          right: { method: 'nt', measure: '20 epochs' },
          by: -0.005,
        },
      ],
    },
  ],
}
