import type { Store, TokenRecord } from './store.ts'
import { createSecret } from './token.ts'

/** How long the secret before a rotation stays good, so that nobody who has it is lost. */
export const ROTATION_HOURS = 24

/**
 * Gives a token another secret, and notes it in the audit log.
 * @returns null when there is none that is valid
 */
export async function rotateToken(
  store: Pick<Store, 'rotateToken' | 'audit'>,
  id: string,
  actor: string,
): Promise<{ token: TokenRecord; secret: string; previousUntil: Date } | null> {
  const secret = createSecret()
  const previousUntil = new Date(Date.now() + ROTATION_HOURS * 3_600_000)
  const token = await store.rotateToken(id, { secret, previousUntil })
  if (token === null) return null
  await store.audit({ actor, action: 'token:rotated', details: { id, previousUntil } })
  return { token, secret, previousUntil }
}
