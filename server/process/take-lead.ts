import { hostname } from 'node:os'
import type { RunDisplay } from '../report/run-display.ts'
import type { Leadership, Store } from '../store/store.ts'
import type { CoordinatorOptions } from './coordinator-options.ts'
import { hasEndedMeanwhile, runsThatAreOver } from './stood-by.ts'

/**
 * Leads the database's federation, at once or when the coordinator before has ended.
 *
 * @param hasRun whether it has a run to begin; one that stays for runs has none
 * @returns null when the run that it stood by for is over
 * @throws GraftError GRAFT_DATABASE_BUSY when another leads and it does not stand by; the reason of the signal
 */
export async function takeLead(
  store: Store,
  options: Pick<CoordinatorOptions, 'isStandby' | 'leaseSeconds' | 'signal'>,
  { display, hasRun }: { readonly display: RunDisplay; readonly hasRun: boolean },
): Promise<Leadership | null> {
  const { isStandby, leaseSeconds, signal } = options
  const over = await runsThatAreOver(store)
  const leaders: string[] = []
  const leading = store.lead({
    holder: `pid ${process.pid} on ${hostname()}`,
    isStandby,
    onWait(leader) {
      leaders.push(leader)
      display.message(`Standing by: ${lowerFirst(leader)} leads.`)
    },
    leaseSeconds,
    onBreak() {
      display.message(`It has given no sign of life for ${leaseSeconds} s: its lead was ended.`)
    },
    signal,
  })
  const leadership = await leading.catch((error: unknown) => {
    // A timer that is broken off says so, not why.
    signal.throwIfAborted()
    throw error
  })
  if (leaders.length === 0) return leadership
  display.message('It leads no longer. This coordinator leads now.')
  if (!hasRun || !(await hasEndedMeanwhile(store, over))) return leadership
  display.message('The run that it stood by for is over.')
  await leadership.release()
  return null
}

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1)
