import { setTimeout as delay } from 'node:timers/promises'
import { GraftError } from '../../shared/errors.ts'
import type { Database, DatabaseLock } from './database.ts'
import type { Leadership, LeaderOptions } from './store.ts'

/** How often a standby asks for the lock, and a leader whose connection broke. */
const POLL_MS = 500

/** The row of `leadership`. */
export interface Leader {
  readonly epoch: number
  readonly holder: string
}

export interface LeadershipTable {
  read(): Promise<Leader | null>
  /** Raises the epoch, behind every write of the leader before. @returns the new one */
  raise(holder: string): Promise<number>
}

/**
 * Leads a database: takes its lock, then raises the epoch with which every write is fenced (the fencing token of
 * Kleppmann, "How to do distributed locking", 2016). The lock alone would not do: a leader that was cut off believes for a while
 * that it still leads.
 *
 * A leader that hangs has its connection still: a standby ends it when no sign of life came for the lease, and the fence sees to the rest.
 *
 * A leader whose connection broke asks for the lock again; while nobody else has led meanwhile, it goes on.
 *
 * @param onEpoch told the epoch before this returns
 */
export async function takeLeadership(
  database: Database,
  table: LeadershipTable,
  options: LeaderOptions,
): Promise<{ epoch: number; leadership: Leadership }> {
  const { holder, isStandby, onWait } = options
  let lock = await database.tryLock()
  if (lock === null) {
    const leader = nameOf(await table.read())
    if (!isStandby) {
      const problem = `${leader} leads the federation in ${database.description}.`
      throw new GraftError('GRAFT_LEADERSHIP_TAKEN', problem)
    }
    onWait?.(leader)
    lock = await waitForLock(database, options)
  }
  const epoch = await table.raise(holder)
  const lost = new AbortController()
  const released = new AbortController()
  const keeping = keep(lock, released.signal)
  return {
    epoch,
    leadership: {
      lost: lost.signal,
      release: async () => {
        released.abort()
        await keeping
      },
    },
  }

  async function keep(held: DatabaseLock, end: AbortSignal): Promise<void> {
    await Promise.race([held.broken, aborted(end)])
    await held.release()
    while (!end.aborted) {
      // No answer: nobody else can lead either, and it is asked again.
      const again = await database.tryLock().catch(() => null)
      const leader = await table.read().catch(() => undefined)
      if (again !== null && leader?.epoch === epoch) return keep(again, end)
      await again?.release()
      if (leader !== undefined && leader?.epoch !== epoch) {
        lost.abort(leadershipLost(leader))
        return
      }
      await delay(POLL_MS, undefined, { signal: end }).catch(() => undefined)
    }
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

/** What a write is refused with whose epoch is over. */
export function leadershipLost(leader: Leader | null): GraftError {
  return new GraftError('GRAFT_LEADERSHIP_LOST', `${nameOf(leader)} leads this federation now.`)
}

async function waitForLock(
  database: Database,
  { signal, leaseSeconds = Infinity, onBreak }: LeaderOptions,
): Promise<DatabaseLock> {
  for (;;) {
    await delay(POLL_MS, undefined, { signal })
    // A database that does not answer has no leader either: a standby outlasts that.
    const lock = await database.tryLock().catch(() => null)
    if (lock !== null) return lock
    if (leaseSeconds === Infinity) continue
    // Not allowed to, when the leader has another role there: then only its end helps.
    if (await database.breakLock(leaseSeconds).catch(() => false)) onBreak?.()
  }
}

const nameOf = (leader: Leader | null): string =>
  leader === null ? 'Another coordinator' : `The coordinator ${leader.holder}`
