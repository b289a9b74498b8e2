import { ablation } from './ablation.ts'
import { conductance } from './conductance.ts'
import { deepLift } from './deep-lift.ts'
import type { ScorerName } from './scorer-names.ts'
import type { Scorer } from './scorer.ts'
import { uniform } from './uniform.ts'

/** Every scorer by its name. */
export const SCORERS = {
  conductance,
  deeplift: deepLift,
  ablation,
  uniform,
} as const satisfies Record<ScorerName, Scorer>

/** What a scorer may be told: beside what all of them know, its own options. */
export type OptionsOf<Name extends ScorerName> = Name extends ScorerName
  ? Parameters<(typeof SCORERS)[Name]['score']>[2]
  : never
