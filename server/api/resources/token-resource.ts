import { GraftError } from '../../../shared/errors.ts'
import type { TokenResource } from '../../../shared/protocol/operator/resources.ts'
import type { Store, TokenRecord } from '../../store/store.ts'
import { stateOfToken } from '../../store/token-state.ts'

/** A token without its secret, which nobody has any more. */
export function toTokenResource(token: TokenRecord): TokenResource {
  const { id, kind, role, clientId, label, createdAt, expiresAt, revokedAt } = token
  return {
    id,
    kind,
    role,
    client: clientId,
    label,
    createdAt: createdAt.toISOString(),
    expiresAt: expiresAt?.toISOString() ?? null,
    revokedAt: revokedAt?.toISOString() ?? null,
    state: stateOfToken(token),
  }
}

/** @throws GraftError GRAFT_NOT_FOUND */
export async function findTokenById(
  { listTokens }: Pick<Store, 'listTokens'>,
  id: string,
): Promise<TokenRecord> {
  const token = (await listTokens()).find((it) => it.id === id)
  if (token === undefined) throw new GraftError('GRAFT_NOT_FOUND', `There is no token ${id}.`)
  return token
}
