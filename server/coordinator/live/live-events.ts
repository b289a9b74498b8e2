import type { RunId } from '../../../shared/ids.ts'
import type { LiveEvent } from '../../../shared/protocol/operator/live.ts'
import type { RunRecord, Store } from '../../store/store.ts'
import { parseJournal } from '../journal.ts'
import {
  type RoundEvent,
  type RoundPhase,
  type RoundState,
  startRound,
  step,
} from '../round-state.ts'
import { rulesOf } from '../round-rules.ts'
import { describeEvent } from './describe-event.ts'

/** Where an event stands among those of all runs. */
export interface EventPlace {
  /** Number of the run. */
  readonly run: number
  /** In its journal. */
  readonly seq: number
}

/** Before every event. */
export const NO_EVENT: EventPlace = { run: 0, seq: 0 }

/** `<number of the run>.<seq>`. */
export function eventId({ run, seq }: EventPlace): string {
  return `${run}.${seq}`
}

/** @returns null for what {@link eventId} never gave */
export function parseEventId(id: string): EventPlace | null {
  const [, run, seq] = /^(\d{1,15})\.(\d{1,15})$/.exec(id) ?? []
  return run === undefined || seq === undefined ? null : { run: Number(run), seq: Number(seq) }
}

interface Appended {
  readonly run: Pick<RunRecord, 'id' | 'number'>
  readonly seq: number
  readonly at: Date
  readonly event: RoundEvent
  /** Of the round behind the event. */
  readonly phase: RoundPhase
}

export function toLiveEvent({ run, seq, at, event, phase }: Appended): LiveEvent {
  return {
    id: eventId({ run: run.number, seq }),
    at: at.toISOString(),
    run: run.id,
    round: event.round,
    type: event.type,
    phase,
    client: 'client' in event ? event.client : null,
    text: describeEvent(event),
  }
}

/**
 * Stored events behind one, oldest first, for an operator who was cut off.
 *
 * @param after where to go on; {@link NO_EVENT} for all there are
 * @param limit most events
 * @param only events of one run
 */
export async function eventsAfter(
  store: Pick<Store, 'listRuns' | 'readJournal'>,
  after: EventPlace,
  { limit, only }: { readonly limit: number; readonly only?: RunId },
): Promise<LiveEvent[]> {
  const events: LiveEvent[] = []
  for (const run of await store.listRuns()) {
    if (run.number < after.run || (only !== undefined && run.id !== only)) continue
    const known = run.number === after.run ? after.seq : 0
    for (const event of await eventsOf(store, run)) {
      if (event.seq <= known) continue
      events.push(toLiveEvent(event))
      if (events.length >= limit) return events
    }
  }
  return events
}

/** The newest event that is stored. */
export async function newestEvent(
  store: Pick<Store, 'listRuns' | 'readJournal'>,
): Promise<EventPlace> {
  for (const { id, number } of (await store.listRuns()).reverse()) {
    const newest = (await store.readJournal(id)).at(-1)
    if (newest !== undefined) return { run: number, seq: newest.seq }
  }
  return NO_EVENT
}

/** All of a run, each with the phase that it led to. */
async function eventsOf(store: Pick<Store, 'readJournal'>, run: RunRecord): Promise<Appended[]> {
  const entries = await store.readJournal(run.id)
  const rules = rulesOf(run.settings)
  const states = new Map<number, RoundState>()
  return parseJournal(entries).map(({ event, at }, i) => {
    const before = states.get(event.round) ?? startRound(event.round)
    const { state } = step(rules, before, event)
    states.set(event.round, state)
    return { run, seq: entries[i]!.seq, at, event, phase: state.phase }
  })
}
