import type { Measure } from '../../shared/protocol/experiment-report.ts'
import type { FederationGrid } from './federation/federation-grid.ts'
import type { OfflineGrid } from './offline/offline-grid.ts'

/** An experiment as data: what is run, in full and quickly, and what it decides. */
interface PresetOf<Kind extends string, Grid> {
  readonly kind: Kind
  /** As in `graft experiment NAME`. */
  readonly name: string
  /** One line for lists. */
  readonly summary: string
  readonly claims: readonly Claim[]
  /** What a paper would run. */
  readonly full: Grid
  /** Minutes on two cores. */
  readonly quick: Grid
}

/** Trained networks fused in this process. */
export type OfflinePreset = PresetOf<'offline', OfflineGrid>
/** Federations, each run by `graft simulate` as a user would run it. */
export type FederationPreset = PresetOf<'federation', FederationGrid>
export type Preset = OfflinePreset | FederationPreset

/** Something that a paper says, or that we want to know, and the comparisons that decide it. */
export interface Claim {
  /** Unique over all presets. */
  readonly id: string
  /** Paper and place, as in `NT (arXiv 2502.06849), abstract`; or where else the question comes from. */
  readonly source: string
  /** In our words, one sentence. */
  readonly says: string
  /** Each must hold in each row that it is about. */
  readonly comparisons: readonly Comparison[]
}

/** `above`: left is more than right by more than `by`; `below`: less; `near`: they differ by `by` at most. */
export interface Comparison {
  readonly left: Term
  readonly relation: 'above' | 'below' | 'near'
  readonly right: Term
  /** In the unit of the measure. @default 0 */
  readonly by?: number
  /** For `below`: left is multiplied by it first, as in "at most a third". @default 1 */
  readonly times?: number
  /** The rows that it is about; all when not given. */
  readonly where?: Readonly<Record<string, string | number>>
}

export interface Term {
  /** Several: the one with the best mean in the row, which is said, as it is a choice by the test set. */
  readonly method: string | readonly string[]
  readonly measure: Measure['name']
}
