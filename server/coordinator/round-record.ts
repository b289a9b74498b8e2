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
      signal.throwIfAborted()
      const isHeard = () =>
        awaited().every((client) => evaluations.has(client) || declined.has(client))
      if (isHeard()) return
      await new Promise<void>((resolve, reject) => {
        const end = (settle: () => void) => {
          clearTimeout(timer)
          signal.removeEventListener('abort', abort)
          changed = () => undefined
          settle()
        }
        const abort = () => end(() => reject(signal.reason as Error))
        const timer = setTimeout(() => end(resolve), seconds * 1000)
        signal.addEventListener('abort', abort, { once: true })
        changed = () => {
          timer.refresh()
          if (isHeard()) end(resolve)
        }
      })
    },
  }
}
