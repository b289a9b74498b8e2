import type { ErrorCode } from '../../shared/errors.ts'
import type { AuditEntry } from '../store/store.ts'

const MINUTE_MS = 60_000
/** Kinds of refusals that are told apart in one minute; whatever else comes is counted together. */
const MOST_KINDS = 100

export interface Refusal {
  /** `operator:<token label>`, or `operator:unknown`. */
  readonly actor: string
  readonly address: string
  readonly code: ErrorCode
  /** Method and route, as in `POST /api/v1/tokens`. */
  readonly route: string
}

/** Every refused attempt is in the audit log, a flood of them in few entries. */
export interface RefusalLog {
  readonly note: (refusal: Refusal) => void
  /** Writes what was counted; nothing is noted after it. */
  readonly close: () => Promise<void>
}

interface Kind {
  readonly refusal: Refusal
  readonly since: Date
  count: number
}

/**
 * The first refusal of its kind is written at once; those that follow within a minute are counted, and written as one entry.
 *
 * @param audit what it throws is told to `onFault`
 */
export function createRefusalLog(
  audit: (entry: Omit<AuditEntry, 'at'>) => Promise<void>,
  onFault: (error: Error) => void,
  minuteMs = MINUTE_MS,
): RefusalLog {
  let kinds = new Map<string, Kind>()
  let timer: NodeJS.Timeout | undefined
  const writing = new Set<Promise<void>>()
  let isClosed = false

  function write({ actor, ...refusal }: Refusal, more: object): void {
    const done = audit({ actor, action: 'request:refused', details: { ...refusal, ...more } })
      .catch((error: unknown) => {
        onFault(error as Error)
      })
      .finally(() => writing.delete(done))
    writing.add(done)
  }

  function flush(): void {
    clearTimeout(timer)
    timer = undefined
    for (const { refusal, since, count } of kinds.values()) {
      if (count > 0) write(refusal, { count, since: since.toISOString() })
    }
    kinds = new Map()
  }

  return {
    note(refusal) {
      if (isClosed) return
      timer ??= setTimeout(flush, minuteMs).unref()
      const own = JSON.stringify(refusal)
      const isNew = !kinds.has(own) && kinds.size < MOST_KINDS
      const key = isNew || kinds.has(own) ? own : 'others'
      const kind = kinds.get(key)
      if (kind !== undefined) {
        kind.count++
      } else if (key === own) {
        kinds.set(own, { refusal, since: new Date(), count: 0 })
        write(refusal, { count: 1 })
      } else {
        const others = { ...refusal, actor: 'operator:unknown', address: 'many', route: 'many' }
        kinds.set(key, { refusal: others, since: new Date(), count: 1 })
      }
    },

    async close() {
      isClosed = true
      flush()
      await Promise.all(writing)
    },
  }
}
