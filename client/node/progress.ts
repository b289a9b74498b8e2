import type { GraftError } from '../../shared/errors.ts'
import type { RoundNumber } from '../../shared/ids.ts'
import type { ClientProgress, RunJoined } from '../../shared/protocol/messages.ts'

/** What a node did in one round. */
export interface RoundOutcome {
  readonly round: RoundNumber
  /** Bytes of the update. */
  readonly sizeBytes: number
  readonly seconds: { readonly train: number; readonly attribute: number; readonly upload: number }
}

/** What a node tells whoever runs it. */
export type NodeEvent =
  | ({ readonly type: 'joined'; readonly numExamples: number } & RunJoined)
  | ({ readonly type: 'progress' } & ClientProgress)
  | ({ readonly type: 'accepted' } & RoundOutcome)
  /** The coordinator did not want this update; the node waits for the next round. */
  | { readonly type: 'refused'; readonly round: RoundNumber; readonly error: GraftError }
  | {
      readonly type: 'evaluated'
      readonly round: RoundNumber
      readonly accuracy: number
      readonly loss: number
    }
  | { readonly type: 'round-failed'; readonly round: RoundNumber; readonly code: string }
  /** The coordinator ends; the node looks for it, and for those that may follow it. */
  | { readonly type: 'left-alone' }
  /** The node stays, and leaves out the rest of this run. */
  | { readonly type: 'sat-out'; readonly error: GraftError }
  | { readonly type: 'finished'; readonly rounds: number }

type Phase = ClientProgress['phase']

/**
 * Passes progress on at every whole percent of a phase, not at every step: an operator sees no more,
 * and each report is a message on the wire.
 */
export function createProgress(
  round: RoundNumber,
  send: (progress: ClientProgress) => void,
): (phase: Phase, done: number, loss?: number) => void {
  let last: { phase: Phase; percent: number } | null = null
  return (phase, done, loss) => {
    const percent = Math.floor(done * 100)
    if (last?.phase === phase && last.percent === percent) return
    last = { phase, percent }
    send({ round, phase, done, ...(loss !== undefined && Number.isFinite(loss) ? { loss } : {}) })
  }
}
