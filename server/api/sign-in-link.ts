import { isValid } from '../store/join-token.ts'
import type { Store } from '../store/store.ts'
import { createSecret } from '../store/token.ts'

export const LINK_MINUTES = 15

/**
 * A link that signs in an admin, once, within {@link LINK_MINUTES} minutes. Its secret stands behind `#`, which browsers keep to
 * themselves: it is in no log of a server or a proxy.
 */
export async function createSignInLink(
  { signInLinks }: Pick<Store, 'signInLinks'>,
  url: string,
): Promise<string> {
  const secret = createSecret()
  const expiresAt = new Date(Date.now() + LINK_MINUTES * 60_000)
  await signInLinks.create({ secret, expiresAt })
  return `${url.replace(/\/$/, '')}/sign-in#once=${secret}`
}

/** @returns null when somebody can sign in with a token already */
export async function firstSignInLink(
  store: Pick<Store, 'signInLinks' | 'listTokens'>,
  url: string,
): Promise<string | null> {
  const tokens = await store.listTokens()
  const isFirst = !tokens.some((token) => token.kind === 'operator' && isValid(token))
  return isFirst ? createSignInLink(store, url) : null
}
