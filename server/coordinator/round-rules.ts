import type { RunSettings } from '../../shared/protocol/run-settings.ts'
import type { RoundRules } from './round-state.ts'

/** What a run's settings say of each of its rounds. */
export function rulesOf({ clients, quorum, goal = clients }: RunSettings): RoundRules {
  return { cohortSize: clients, quorum, goal }
}
