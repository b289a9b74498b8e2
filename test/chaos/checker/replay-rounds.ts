import { type PastEvent, parseJournal } from '../../../server/coordinator/journal.ts'
import {
  type Publication,
  type RoundEvent,
  type RoundState,
  startRound,
  step,
  type Updates,
} from '../../../server/coordinator/round-state.ts'
import { RoundNumber } from '../../../shared/ids.ts'
import type { Evidence } from './evidence.ts'

/** A round as its journal tells it. */
export interface ReplayedRound {
  readonly round: number
  readonly events: readonly RoundEvent[]
  readonly state: RoundState
  readonly cohort: readonly string[]
  /** What was fused; null when it came to no fusion. */
  readonly fused: Updates | null
  readonly publication: Publication | null
}

export interface Replay {
  readonly rounds: readonly ReplayedRound[]
  /** What a journal of a sound coordinator has not. */
  readonly problems: readonly string[]
}

/**
 * Decides every event again. A coordinator journals what changes its state and nothing else, so each event
 * must change the replayed state too: else the coordinator that wrote it was in another one.
 */
export function replayRounds({ runs, journal }: Evidence): Replay {
  const problems: string[] = []
  const [run] = runs
  if (run === undefined) return { rounds: [], problems: ['there is no run'] }
  const rows = journal.filter((row) => row.run === run.id).sort((a, b) => a.seq - b.seq)
  rows.forEach(({ seq }, index) => {
    if (seq !== index + 1) problems.push(`event ${index + 1} has seq ${seq}`)
  })
  const past = parsed(rows, problems)
  const rules = { cohortSize: run.clients, quorum: run.quorum, goal: run.clients }
  const numbers = [...new Set(past.map(({ event }) => event.round))].sort((a, b) => a - b)
  const rounds = numbers.map((number): ReplayedRound => {
    const events = past.flatMap(({ event }) => (event.round === number ? [event] : []))
    let state = startRound(RoundNumber.parse(number))
    let fused: Updates | null = null
    let cohort: readonly string[] = []
    for (const event of events) {
      const next = step(rules, state, event)
      if (next.state === state) {
        problems.push(`round ${number}: ${told(event)} changes nothing while ${state.phase}`)
      }
      state = next.state
      if (state.phase === 'collecting') cohort = state.cohort
      if (state.phase === 'fusing') fused = state.updates
    }
    const publication = state.phase === 'published' ? state.publication : null
    return { round: number, events, state, cohort, fused, publication }
  })
  return { rounds, problems }
}

function parsed(rows: Evidence['journal'], problems: string[]): PastEvent[] {
  return rows.flatMap((row) => {
    try {
      return parseJournal([row])
    } catch {
      problems.push(`event ${row.seq} is none: ${JSON.stringify(row.event)}`)
      return []
    }
  })
}

function told(event: RoundEvent): string {
  return 'client' in event ? `${event.type} of ${event.client}` : event.type
}
