import type { ClientId, RunId } from '../../shared/ids.ts'
import { parseJournal } from '../coordinator/journal.ts'
import { rulesOf } from '../coordinator/round-rules.ts'
import { type RoundRules, type RoundState, startRound, step } from '../coordinator/round-state.ts'
import type { EventPlace } from '../store/operator-store.ts'
import type { Store } from '../store/store.ts'

/** Events that are read at a time. */
const CHUNK = 2_000

/** What the journals say of a client. */
export interface ClientFacts {
  roundsInvited: number
  roundsAccepted: number
  /** Of its newest update; null: it has sent none. */
  numExamples: number | null
  classCounts: number[] | null
}

/** Sums over the journals of all runs, read once; later calls read on where the last one ended. */
export interface ClientTally {
  readonly read: () => Promise<ReadonlyMap<ClientId, Readonly<ClientFacts>>>
}

export function createClientTally(store: Pick<Store, 'lists'>): ClientTally {
  const facts = new Map<ClientId, ClientFacts>()
  let after: EventPlace | null = null
  let reading: Promise<void> | undefined
  /** Only of the run that was read last: a run begins when the one before is over. */
  let current: { run: RunId; rules: RoundRules; state: RoundState | null } | undefined

  const of = (client: ClientId): ClientFacts => {
    const known = facts.get(client)
    if (known !== undefined) return known
    const none = { roundsInvited: 0, roundsAccepted: 0, numExamples: null, classCounts: null }
    facts.set(client, none)
    return none
  }

  async function readOn(): Promise<void> {
    for (;;) {
      const found = await store.lists.events({ after, limit: CHUNK })
      for (const { run, runNumber, seq, at, event: stored } of found) {
        const [past] = parseJournal([{ seq, at, event: stored }])
        if (current?.run !== run) {
          const settings = (await store.lists.run(run))?.settings
          if (settings === undefined) return
          current = { run, rules: rulesOf(settings), state: null }
        }
        count(current, past!.event)
        after = { runNumber, seq }
      }
      if (found.length < CHUNK) return
    }
  }

  function count(
    run: NonNullable<typeof current>,
    event: ReturnType<typeof parseJournal>[number]['event'],
  ): void {
    const before = run.state?.round === event.round ? run.state : startRound(event.round)
    const { state } = step(run.rules, before, event)
    run.state = state
    if (before.phase === 'recruiting' && state.phase === 'collecting') {
      for (const client of state.cohort) of(client).roundsInvited++
    }
    if (event.type !== 'update-received' || state === before) return
    const { numExamples, classCounts } = event.update
    const known = of(event.client)
    Object.assign(known, { numExamples, classCounts: [...classCounts] })
    known.roundsAccepted++
  }

  return {
    async read() {
      reading ??= readOn().finally(() => (reading = undefined))
      await reading
      return facts
    },
  }
}
