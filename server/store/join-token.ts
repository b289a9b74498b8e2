import { GraftError } from '../../shared/errors.ts'
import type { Store, TokenRecord } from './store.ts'
import { createSecret } from './token.ts'

export interface JoinToken {
  readonly secret: string
  /** True when it was made just now: nobody knows it yet. */
  readonly isNew: boolean
}

/**
 * Makes sure that clients can join: with the secret given, else with a join token that was made before
 * (whose secret only its holders know), else with a new one.
 *
 * @returns null when there is a join token already and no secret was given
 * @throws GraftError GRAFT_TOKEN_INVALID when the secret given was revoked or is no join token
 */
export async function ensureJoinToken(
  store: Store,
  given: string | undefined,
): Promise<JoinToken | null> {
  const known = (await store.listTokens()).filter(({ kind }) => kind === 'join')
  if (given === undefined && known.some(isValid)) return null
  const secret = given ?? createSecret()
  const token = await store.findToken(secret)
  if (token === null) {
    const label = given === undefined ? 'made at start' : 'given at start'
    await store.createToken({ secret, kind: 'join', clientId: null, label, expiresAt: null })
  } else if (token.kind !== 'join') {
    throw new GraftError(
      'GRAFT_TOKEN_INVALID',
      `The token given to join with is for ${token.kind}s.`,
    )
  }
  return { secret, isNew: given === undefined }
}

/** Neither revoked nor expired. */
export function isValid({ revokedAt, expiresAt }: TokenRecord): boolean {
  return revokedAt === null && (expiresAt === null || expiresAt > new Date())
}
