import { CONTROLS, FUSED, type OfflineGrid } from '../offline/offline-grid.ts'
import type { Comparison, OfflinePreset } from '../preset.ts'
import { NT_PAIRS } from './nt-pairs.ts'
import { NT, OURS } from './sources.ts'

const JOINT = 'nt:tree=joint'
const ITERATIVE = 'nt:tree=iterative'
/** Of two networks all trees are the same. */
const SEVERAL = [4, 8, 16]

const gridOf = (pairs: OfflineGrid, parents: readonly number[]): OfflineGrid => ({
  ...pairs,
  parents,
  methods: ['nt', JOINT, ITERATIVE, 'fedavg'],
})

const hierarchicalAbove = (other: string, measure: string): Comparison[] =>
  SEVERAL.map((parents) => ({
    left: { method: 'nt', measure },
    relation: 'above',
    right: { method: other, measure },
    where: { parents },
  }))

export const NT_MANY: OfflinePreset = {
  kind: 'offline',
  name: 'nt-many',
  summary: 'two to sixteen networks fused by nt: hierarchical, joint, iterative',
  full: gridOf(NT_PAIRS.full, [2, 4, 8, 16]),
  quick: gridOf({ ...NT_PAIRS.quick, datasets: ['mnist'], seeds: [1, 2] }, [2, 4, 8]),
  claims: [
    {
      id: 'many-hierarchical-best',
      source: 'NT (arXiv 2502.06849), many models',
      says: 'Of several networks, hierarchical fusion is better than joint and iterative fusion, right after fusion and after one epoch.',
      comparisons: [FUSED, '1 epoch'].flatMap((measure) => [
        ...hierarchicalAbove(JOINT, measure),
        ...hierarchicalAbove(ITERATIVE, measure),
      ]),
    },
    {
      id: 'many-beats-parents',
      source: NT,
      says: 'The fused network, fine-tuned, beats the best parent with the same fine-tuning, of however many networks it is made.',
      comparisons: [
        {
          left: { method: 'nt', measure: '20 epochs' },
          relation: 'above',
          right: { method: CONTROLS.bestParent, measure: '20 epochs' },
        },
      ],
    },
    {
      id: 'many-recovers',
      source: OURS,
      says: 'Networks of many parents recover in one epoch too (to within a point of the best parent).',
      comparisons: [
        {
          left: { method: 'nt', measure: '1 epoch' },
          relation: 'above',
          right: { method: CONTROLS.bestParent, measure: FUSED },
          by: -0.01,
        },
      ],
    },
  ],
}
