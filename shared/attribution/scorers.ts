import { conductance } from './conductance.ts'
import type { Scorer } from './scorer.ts'
import { uniform } from './uniform.ts'

/** Every scorer by its name. */
export const SCORERS = { uniform, conductance } as const satisfies Record<string, Scorer>
export type ScorerName = keyof typeof SCORERS
