import { GraftError } from '../../shared/errors.ts'
import type { ClientId } from '../../shared/ids.ts'
import type { ClientAuth } from '../../shared/protocol/messages.ts'
import type { Peer } from '../gateway/peer.ts'
import type { Store, TokenRecord } from '../store/store.ts'
import { banned } from './dismiss.ts'

/**
 * Says who connects. A client's own token names it; a join token admits any name, and the first to join
 * under a name keeps it for its token.
 *
 * @throws GraftError GRAFT_TOKEN_INVALID, GRAFT_CLIENT_BANNED, GRAFT_CLIENT_NAME_TAKEN; every answer is in the audit log
 */
export async function admit(store: Store, auth: ClientAuth, peer: Peer): Promise<ClientId> {
  const token = await store.findToken(auth.token)
  if (token === null || token.kind === 'operator') {
    await refuse(store, { auth, peer }, 'The coordinator does not know this token.')
    throw new GraftError('GRAFT_TOKEN_INVALID', 'The coordinator does not know this token.')
  }
  const { version, engine } = auth
  const id = await nameOf(store, token, { auth, peer })
  const ban = (await store.listBans()).find(({ client }) => client === id)
  if (ban !== undefined) {
    const refusal = banned(ban)
    await refuse(store, { auth, peer }, refusal.problem)
    throw refusal
  }
  try {
    await store.admitClient({ id, tokenId: token.id, version, engine })
  } catch (error) {
    if (error instanceof GraftError) await refuse(store, { auth, peer }, error.problem)
    throw error
  }
  const details = { version, engine, token: token.label, address: peer.address }
  await store.audit({ actor: `client:${id}`, action: 'client:admitted', details })
  return id
}

async function nameOf(store: Store, token: TokenRecord, caller: Caller): Promise<ClientId> {
  const { auth } = caller
  const id = token.clientId ?? auth.name
  if (id !== undefined && (auth.name ?? id) === id) return id
  const problem =
    id === undefined
      ? 'A join token is for any client: say which one this is, with --name NAME.'
      : `This token is for client ${id}, not for ${auth.name ?? ''}.`
  await refuse(store, caller, problem)
  throw new GraftError('GRAFT_TOKEN_INVALID', problem)
}

/** Who wants to be let in, by its own words and by its connection. */
interface Caller {
  readonly auth: ClientAuth
  readonly peer: Peer
}

async function refuse(store: Store, { auth, peer }: Caller, reason: string): Promise<void> {
  const actor = `client:${auth.name ?? 'unnamed'}`
  const details = { reason, address: peer.address }
  await store.audit({ actor, action: 'client:refused', details })
}
