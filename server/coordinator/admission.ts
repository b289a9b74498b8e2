import { GraftError } from '../../shared/errors.ts'
import type { ClientId } from '../../shared/ids.ts'
import type { ClientAuth } from '../../shared/protocol/messages.ts'
import type { Store, TokenRecord } from '../store/store.ts'
import { banned } from './dismiss.ts'

/**
 * Says who connects. A client's own token names it; a join token admits any name, and the first to join
 * under a name keeps it for its token.
 *
 * @throws GraftError GRAFT_TOKEN_INVALID, GRAFT_CLIENT_BANNED, GRAFT_CLIENT_NAME_TAKEN; every answer is in the audit log
 */
export async function admit(store: Store, auth: ClientAuth): Promise<ClientId> {
  const token = await store.findToken(auth.token)
  if (token === null || token.kind === 'operator') {
    await refuse(store, auth, 'The coordinator does not know this token.')
    throw new GraftError('GRAFT_TOKEN_INVALID', 'The coordinator does not know this token.')
  }
  const { version, engine } = auth
  const id = await nameOf(store, token, auth)
  const ban = (await store.listBans()).find(({ client }) => client === id)
  if (ban !== undefined) {
    const refusal = banned(ban)
    await refuse(store, auth, refusal.problem)
    throw refusal
  }
  try {
    await store.admitClient({ id, tokenId: token.id, version, engine })
  } catch (error) {
    if (error instanceof GraftError) await refuse(store, auth, error.problem)
    throw error
  }
  const details = { version, engine, token: token.label }
  await store.audit({ actor: `client:${id}`, action: 'client:admitted', details })
  return id
}

async function nameOf(store: Store, token: TokenRecord, auth: ClientAuth): Promise<ClientId> {
  const id = token.clientId ?? auth.name
  if (id !== undefined && (auth.name ?? id) === id) return id
  const problem =
    id === undefined
      ? 'A join token is for any client: say which one this is, with --name NAME.'
      : `This token is for client ${id}, not for ${auth.name ?? ''}.`
  await refuse(store, auth, problem)
  throw new GraftError('GRAFT_TOKEN_INVALID', problem)
}

async function refuse(store: Store, auth: ClientAuth, reason: string): Promise<void> {
  const actor = `client:${auth.name ?? 'unnamed'}`
  await store.audit({ actor, action: 'client:refused', details: { reason } })
}
