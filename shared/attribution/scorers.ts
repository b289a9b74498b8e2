import { ablation } from './ablation.ts'
import { conductance } from './conductance.ts'
import { deepLift } from './deep-lift.ts'
import type { Scorer } from './scorer.ts'
import { uniform } from './uniform.ts'

/** Every scorer by its name. */
export const SCORERS = {
  uniform,
  conductance,
  deeplift: deepLift,
  ablation,
} as const satisfies Record<string, Scorer>
export type ScorerName = keyof typeof SCORERS
