import { isValid } from './join-token.ts'
import type { Store } from './store.ts'
import { createSecret } from './token.ts'

export const LINK_MINUTES = 15

/** Makes a secret that signs in an admin, once, within {@link LINK_MINUTES} minutes. */
export async function createSignInSecret({
  signInLinks,
}: Pick<Store, 'signInLinks'>): Promise<string> {
  const secret = createSecret()
  const expiresAt = new Date(Date.now() + LINK_MINUTES * 60_000)
  await signInLinks.create({ secret, expiresAt })
  return secret
}

/** @returns null when somebody can sign in with a token already */
export async function firstSignInSecret(
  store: Pick<Store, 'signInLinks' | 'listTokens'>,
): Promise<string | null> {
  const tokens = await store.listTokens()
  const isFirst = !tokens.some((token) => token.kind === 'operator' && isValid(token))
  return isFirst ? createSignInSecret(store) : null
}

/** The secret stands behind `#`, which browsers keep to themselves: it is in no log of a server or a proxy. */
export function toSignInLink(url: string, secret: string): string {
  return `${url.replace(/\/$/, '')}/sign-in#once=${secret}`
}
