import type { Evidence, Violation } from './evidence.ts'
import { INVARIANTS } from './invariants.ts'
import { replayRounds } from './replay-rounds.ts'

export interface Verdict {
  readonly violations: readonly Violation[]
  /** Clients of each round. */
  readonly cohorts: readonly string[]
  /** What the last round published. */
  readonly finalModel: string | null
}

/** What a federation without faults came to. */
export type Undisturbed = Pick<Verdict, 'cohorts' | 'finalModel'>

/** Looks at what a federation left, and at nothing else. @param undisturbed null: that one is it */
export function check(evidence: Evidence, undisturbed: Undisturbed | null): Verdict {
  const replay = replayRounds(evidence)
  const violations = Object.entries(INVARIANTS).flatMap(([invariant, holds]) =>
    holds(evidence, replay).map((problem): Violation => ({ invariant, problem })),
  )
  const cohorts = replay.rounds.map(({ cohort }) => cohort.join(' '))
  const finalModel = replay.rounds.at(-1)?.publication?.blob ?? null
  if (isComparable(cohorts, undisturbed) && finalModel !== undisturbed?.finalModel) {
    violations.push({
      invariant: 'the same cohorts give the same final model',
      problem: `the final model is ${finalModel ?? 'missing'}, undisturbed ${undisturbed?.finalModel ?? 'missing'}`,
    })
  }
  return { violations, cohorts, finalModel }
}

/** Whether the same clients took part in every round. */
export function isComparable(cohorts: readonly string[], undisturbed: Undisturbed | null): boolean {
  return undisturbed !== null && cohorts.join('; ') === undisturbed.cohorts.join('; ')
}
