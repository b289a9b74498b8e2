import type { TokenRecord } from './store.ts'

/** What a token is good for now. */
export function stateOfToken({
  revokedAt,
  expiresAt,
}: Pick<TokenRecord, 'revokedAt' | 'expiresAt'>): 'valid' | 'revoked' | 'expired' {
  if (revokedAt !== null) return 'revoked'
  return expiresAt !== null && expiresAt.getTime() <= Date.now() ? 'expired' : 'valid'
}
