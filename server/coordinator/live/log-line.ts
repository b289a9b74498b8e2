import type { BlobId, ClientId, RunId } from '../../../shared/ids.ts'
import type { RoundEvent, RoundPhase, RoundState, Updates } from '../round-state.ts'

/** A stored event as a line of the log. */
export interface LogLine {
  readonly event: `journal:${RoundEvent['type']}`
  readonly run: RunId
  readonly round: number
  /** In the journal of the run. */
  readonly seq: number
  /** Of the round behind the event. */
  readonly phase: RoundPhase
  readonly client?: ClientId
  /** The update that came, by its hash. */
  readonly update?: BlobId
  /** The model that was made, chosen or published, by its hash. */
  readonly model?: BlobId
  /** Whose updates, by their hashes, it was made of. */
  readonly updates?: Readonly<Record<ClientId, BlobId>>
  /** Whether the round has published a model of its own. */
  readonly isNew?: boolean
  readonly code?: string
}

/** The ids in an event, and none of its numbers. */
export function logLine(of: {
  readonly run: RunId
  readonly seq: number
  readonly event: RoundEvent
  readonly next: RoundState
}): LogLine {
  const { run, seq, event, next } = of
  return {
    event: `journal:${event.type}`,
    ...{ run, round: event.round, seq, phase: next.phase },
    ...('client' in event && { client: event.client }),
    ...idsIn(event, next),
  }
}

function idsIn(event: RoundEvent, next: RoundState): Partial<LogLine> {
  switch (event.type) {
    case 'update-received':
      return { update: event.update.blob }
    case 'model-chosen':
      return { model: event.model }
    case 'model-fused':
      return {
        model: event.fused.blob,
        ...('updates' in next && { updates: hashesOf(next.updates) }),
      }
    case 'model-tuned':
      return { model: event.tuned.blob }
    case 'model-evaluated':
      return { model: event.publication.blob, isNew: event.publication.isNew }
    case 'work-failed':
      return { code: event.code }
    case 'client-ready':
    case 'client-left':
    case 'client-banned':
    case 'deadline-passed':
    case 'round-ended':
      return {}
  }
}

function hashesOf(updates: Updates): Record<ClientId, BlobId> {
  return Object.fromEntries(Object.entries(updates).map(([client, { blob }]) => [client, blob]))
}
