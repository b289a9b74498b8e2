import type { GraftError } from '../../shared/errors.ts'
import type { ClientId, RoundNumber, RunId } from '../../shared/ids.ts'
import type { Log } from '../../shared/log/log.ts'
import type { RoundInvited } from '../../shared/protocol/messages.ts'
import { UpdateBegin } from '../../shared/protocol/messages.ts'

/** A connection, as far as a log needs it; its id is the same on the client's side. */
interface Connected {
  readonly id: string
  readonly data: { readonly client: ClientId }
}

/** What the gateway tells the log of clients. */
export interface ClientLog {
  readonly connected: (socket: Connected) => void
  readonly disconnected: (socket: Connected, reason: string) => void
  /** Not let in. */
  readonly refused: (address: string, error: GraftError) => void
  readonly invited: (
    client: ClientId,
    connection: string | undefined,
    message: Pick<RoundInvited, 'run' | 'round' | 'model'>,
  ) => void
  /** Everybody was told. */
  readonly told: (
    event: string,
    message: { readonly run: RunId; readonly round?: RoundNumber; readonly model?: { id: string } },
  ) => void
  /** @param refusal undefined when the message was taken */
  readonly answered: (
    socket: Connected,
    event: string,
    message: unknown,
    refusal?: GraftError,
  ) => void
}

/** Messages whose answer is a line; those of a client that trains or pulls would be thousands. */
const TOLD: ReadonlySet<string> = new Set(['client:ready', 'update:begin', 'update:commit'])

export function createClientLog(log: Log): ClientLog {
  /** What each client was asked for last: its messages name the round alone. */
  const invitations = new Map<ClientId, { readonly run: RunId; readonly round: RoundNumber }>()
  const uploads = new Map<ClientId, string>()
  const of = ({ id, data }: Connected) => ({ client: data.client, connection: id })

  return {
    connected(socket) {
      log.info({ event: 'client:connected', ...of(socket) })
    },
    disconnected(socket, reason) {
      log.info({ event: 'client:disconnected', ...of(socket), reason })
    },
    refused(address, { code }) {
      log.warn({ event: 'client:refused', address, code })
    },
    invited(client, connection, { run, round, model }) {
      invitations.set(client, { run, round })
      log.info({ event: 'round:invited', run, round, client, connection, model: model.id })
    },
    told(event, { run, round, model }) {
      log.info({ event, run, ...(round !== undefined && { round }), model: model?.id })
    },
    answered(socket, event, message, refusal) {
      const { client } = socket.data
      const begun = event === 'update:begin' ? UpdateBegin.safeParse(message) : null
      if (begun?.success) uploads.set(client, begun.data.sha256)
      if (refusal === undefined && !TOLD.has(event)) return
      const isUpload = event.startsWith('update:')
      const line = {
        // Of a stranger's own words, some.
        event: event.slice(0, 64),
        ...(isUpload && invitations.get(client)),
        ...of(socket),
        ...(isUpload && { update: uploads.get(client) }),
      }
      if (refusal === undefined) log.info(line)
      else log.warn({ ...line, code: refusal.code, problem: refusal.problem })
    },
  }
}
