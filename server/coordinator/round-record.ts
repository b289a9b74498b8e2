import { setTimeout as delay } from 'node:timers/promises'
import type { ClientId } from '../../shared/ids.ts'
import type { EvaluationReport } from '../../shared/protocol/messages.ts'

/** What is counted while a round goes on, beside the state machine: nothing here decides anything. */
export interface RoundRecord {
  /** Bytes of blobs sent to clients. */
  bytesDown: number
  /** What clients say of the published model on their own data. */
  readonly evaluations: ReadonlyMap<ClientId, EvaluationReport>
  addEvaluation(client: ClientId, report: EvaluationReport): void
  /** This client judges no model: nobody waits for it. */
  decline(client: ClientId): void
  /** Call when a client left: those still awaited may be fewer now. */
  clientLeft(): void
  /**
   * Resolves when every client that `awaited` still names has reported, or none has for so many seconds:
   * hundreds of clients that share a machine report one behind the other.
   * @throws the reason of `signal`
   */
  evaluated(awaited: () => readonly ClientId[], seconds: number, signal: AbortSignal): Promise<void>
}

export function createRoundRecord(): RoundRecord {
  const evaluations = new Map<ClientId, EvaluationReport>()
  const declined = new Set<ClientId>()
  let changed: () => void = () => undefined

  return {
    bytesDown: 0,
    evaluations,
    addEvaluation(client, report) {
      evaluations.set(client, report)
      changed()
    },
    decline(client) {
      declined.add(client)
      changed()
    },
    clientLeft: () => {
      changed()
    },
    async evaluated(awaited, seconds, signal) {
      try {
        while (!awaited().every((client) => evaluations.has(client) || declined.has(client))) {
          const ended = new AbortController()
          const change = new Promise<void>((resolve) => {
            changed = resolve
          })
          const timeout = delay(seconds * 1000, 'timeout', {
            signal: AbortSignal.any([signal, ended.signal]),
          })
          const first = await Promise.race([change, timeout]).finally(() => {
            timeout.catch(() => undefined)
            ended.abort()
          })
          if (first === 'timeout') return
        }
      } catch (error) {
        signal.throwIfAborted()
        throw error
      } finally {
        changed = () => undefined
      }
    },
  }
}
