import type { AuditEntry, Store } from './store.ts'

type Entry = Omit<AuditEntry, 'at'>

export interface QuietAuditOptions {
  /** Milliseconds of the clock. @default Date.now */
  readonly clock?: () => number
  /** Told when an entry at the end of a minute could not be written. */
  readonly onFault?: (error: unknown) => void
}

/** What happens to clients at their own will, and so as often as they like. */
const REPEATED: ReadonlySet<string> = new Set(['client:refused', 'client:admitted'])

const WINDOW_MS = 60_000

/** Different refusals that a minute has entries for; the others are counted together. */
const MOST_REFUSALS = 100

interface Repeats {
  readonly entry: Entry
  readonly since: number
  count: number
}

/** A store whose audit log a client cannot fill. */
export interface QuietStore extends Store {
  /** Writes what has been counted and not written yet; before the store is closed. */
  readonly settle: () => Promise<void>
}

/**
 * Writes the first admission or refusal of each kind at once, and how many more of the same there were at the end of a minute:
 * whoever tries a wrong token a thousand times a second leaves two entries a minute. One kind is one actor, action and reason;
 * refusals from one address for one reason are of one kind whatever names they give. Nothing that is written is ever changed.
 *
 * Takes ownership of nothing: whoever closes the store calls `settle` before.
 */
export function createQuietAudit(store: Store, options: QuietAuditOptions = {}): QuietStore {
  const { clock = Date.now, onFault = () => undefined } = options
  const kinds = new Map<string, Repeats>()
  let others: Repeats | null = null
  let refusals = 0
  let timer: NodeJS.Timeout | undefined

  async function audit(entry: Entry): Promise<void> {
    if (!REPEATED.has(entry.action)) return store.audit(entry)
    const isRefusal = entry.action === 'client:refused'
    const key = keyOf(entry)
    const known = kinds.get(key)
    if (known !== undefined) {
      known.count++
      return
    }
    timer ??= startTimer()
    if (isRefusal && refusals >= MOST_REFUSALS) {
      others ??= { entry: OTHERS, since: clock(), count: 0 }
      others.count++
      return
    }
    if (isRefusal) refusals++
    kinds.set(key, { entry, since: clock(), count: 0 })
    await store.audit(entry)
  }

  function startTimer(): NodeJS.Timeout {
    return setTimeout(() => {
      settle().catch(onFault)
    }, WINDOW_MS).unref()
  }

  async function settle(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    const counted = [...kinds.values(), ...(others === null ? [] : [others])]
    kinds.clear()
    others = null
    refusals = 0
    for (const { entry, since, count } of counted) {
      if (count === 0) continue
      const details = { ...(entry.details as object), repeated: count, since: new Date(since) }
      await store.audit({ ...entry, details })
    }
  }

  return { ...store, audit, settle }
}

const OTHERS: Entry = {
  actor: 'coordinator',
  action: 'client:refused',
  details: { reason: `More refusals than the first ${MOST_REFUSALS} kinds of this minute.` },
}

function keyOf({ actor, action, details }: Entry): string {
  const { reason, address } = details as { reason?: unknown; address?: unknown }
  // An address may give another name each time.
  const who = action === 'client:refused' && address !== undefined ? address : actor
  return JSON.stringify([who, action, reason])
}
