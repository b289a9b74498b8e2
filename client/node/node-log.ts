import type { ClientId, RoundNumber, RunId } from '../../shared/ids.ts'
import type { Log } from '../../shared/log/log.ts'
import type { BlobRef } from '../../shared/protocol/messages.ts'
import type { News } from './connection.ts'
import type { NodeEvent } from './progress.ts'

/** What a node tells its log, with the ids by which the coordinator's log calls the same things. */
export interface NodeLog {
  readonly news: (message: News) => void
  readonly event: (event: NodeEvent) => void
  /** @returns to be told of each attempt to send the update of a round */
  readonly uploading: (
    round: RoundNumber,
  ) => (upload: BlobRef & { readonly offset: number }) => void
}

/** @param connection id of the connection of now */
export function createNodeLog(log: Log, connection: () => string | undefined): NodeLog {
  let run: RunId | undefined
  let client: ClientId | undefined
  let update: string | undefined
  let phase = ''
  const where = (round?: RoundNumber) => ({
    run,
    ...(round !== undefined && { round }),
    client,
    connection: connection(),
  })

  return {
    news(message) {
      switch (message.type) {
        case 'connected': {
          log.info({ event: 'client:connected', ...where() })
          return
        }
        // What follows from it is an event: left-alone.
        case 'coordinator:leaving':
          return
        case 'run:finished': {
          log.info({ event: message.type, ...where(), run: message.run })
          return
        }
        case 'round:failed': {
          log.warn({ event: message.type, ...where(message.round), code: message.code })
          return
        }
        case 'round:invited':
        case 'round:published': {
          log.info({ event: message.type, ...where(message.round), model: message.model.id })
          return
        }
      }
    },
    event(event) {
      switch (event.type) {
        case 'joined':
          run = event.run
          client = event.clientId
          {
            log.info({ event: 'run:joined', ...where() })
            return
          }
        case 'progress':
          // Once a phase: how far it is, is no line.
          if (phase === `${event.round} ${event.phase}`) return
          phase = `${event.round} ${event.phase}`
          {
            log.info({ event: `client:${event.phase}`, ...where(event.round) })
            return
          }
        case 'accepted': {
          log.info({ event: 'update:accepted', ...where(event.round), update })
          return
        }
        case 'refused': {
          const { code, problem } = event.error
          log.warn({ event: 'update:refused', ...where(event.round), update, code, problem })
          return
        }
        case 'evaluated': {
          log.info({ event: 'evaluation:reported', ...where(event.round) })
          return
        }
        case 'sat-out': {
          log.warn({ event: 'run:sat-out', ...where(), code: event.error.code })
          return
        }
        case 'left-alone':
        case 'round-failed':
        case 'finished':
          return // said as news
      }
    },
    uploading(round) {
      return ({ id, sizeBytes, offset }) => {
        update = id
        log.info({ event: 'update:begin', ...where(round), update: id, sizeBytes, offset })
      }
    },
  }
}
