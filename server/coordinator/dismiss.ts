import { GraftError } from '../../shared/errors.ts'
import type { ClientId } from '../../shared/ids.ts'
import type { Gateway } from '../gateway/gateway.ts'
import type { BanRecord } from '../store/store.ts'
import type { Session } from './session.ts'

/** Ends a client's connection for good; no round counts on it any more. */
export function dismiss(
  session: Pick<Session, 'ready' | 'members'> | undefined,
  gateway: Pick<Gateway, 'disconnect'>,
  client: ClientId,
  reason: GraftError,
): void {
  gateway.disconnect(client, reason)
  session?.ready.delete(client)
  session?.members.delete(client)
}

/** Why a banned client is refused; it is told the reason that the operator gave. */
export function banned({ client, reason }: Pick<BanRecord, 'client' | 'reason'>): GraftError {
  return new GraftError('GRAFT_CLIENT_BANNED', `${client} is banned: ${reason.replace(/\.$/, '')}.`)
}

export function tokenInvalid(client: ClientId): GraftError {
  return new GraftError('GRAFT_TOKEN_INVALID', `The token of ${client} is not valid any more.`)
}
