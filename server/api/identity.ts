import { createHash, timingSafeEqual } from 'node:crypto'
import { GraftError } from '../../shared/errors.ts'
import type { Role } from '../../shared/protocol/operator/role.ts'
import type { Actor } from '../coordinator/operations.ts'
import type { SessionRecord } from '../store/operator-store.ts'
import type { Store } from '../store/store.ts'

/** Longest life of a session, and longest time that it may lie idle. */
export const SESSION_HOURS = 12
const IDLE_HOURS = 2
/** A session that is used is noted so no more often than this. */
const TOUCH_MS = 60_000

export const COOKIE = 'graft_session'
const HOUR_MS = 3_600_000

/** Who asks. */
export interface Identity {
  readonly actor: Actor
  readonly label: string
  readonly role: Role
  readonly tokenId: string
  /** Null of a script that sent its token. */
  readonly session: SessionRecord | null
  /** What the header `x-graft-csrf` has to say; null where no cookie was sent. */
  readonly csrfToken: string | null
}

/** What a request, or the handshake of a socket, brings with it. */
export interface Credentials {
  readonly bearer: string | undefined
  readonly cookie: string | undefined
}

/**
 * Says who brings these credentials. A bearer token comes first: whoever sends one means it.
 *
 * @throws GraftError GRAFT_SIGNED_OUT
 */
export async function identify(
  { findToken, sessions }: Pick<Store, 'findToken' | 'sessions'>,
  { bearer, cookie }: Credentials,
): Promise<Identity> {
  if (bearer !== undefined) {
    const token = await findToken(bearer)
    if (token?.kind !== 'operator' || token.role === null) {
      throw signedOut('The token is not one of an operator, or no longer valid.')
    }
    const { id: tokenId, label, role } = token
    return { actor: actorOf(label), label, role, tokenId, session: null, csrfToken: null }
  }
  if (cookie === undefined) throw signedOut('Nobody is signed in.')
  const session = await sessions.find(cookie, idleSince())
  if (session === null) throw signedOut('The session has ended.')
  if (Date.now() - session.lastSeenAt.getTime() > TOUCH_MS) await sessions.touch(session.id)
  return { ...ofSession(session), csrfToken: csrfTokenOf(cookie) }
}

/** An identity without what only the cookie's holder knows. */
export function ofSession(session: SessionRecord): Omit<Identity, 'csrfToken'> {
  const { label, role, tokenId } = session
  return { actor: actorOf(label), label, role, tokenId, session }
}

/** Sessions that nobody has used since then are over. */
export function idleSince(): Date {
  return new Date(Date.now() - IDLE_HOURS * HOUR_MS)
}

export function sessionEnd(): Date {
  return new Date(Date.now() + SESSION_HOURS * HOUR_MS)
}

/** Follows from the cookie, which no other page can read: nothing has to be kept for it. */
export function csrfTokenOf(cookie: string): string {
  return createHash('sha256').update(`graft csrf ${cookie}`, 'utf8').digest('base64url')
}

export function isSameText(a: string, b: string): boolean {
  const [first, second] = [Buffer.from(a), Buffer.from(b)]
  return first.length === second.length && timingSafeEqual(first, second)
}

/** The secret of `Authorization: Bearer SECRET`. */
export function bearerOf(header: string | undefined): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(header ?? '')?.[1]
}

/** The session's secret in a header `cookie`; it needs no decoding. */
export function cookieOf(header: string | undefined): string | undefined {
  const own = header?.split(/; */).find((one) => one.startsWith(`${COOKIE}=`))
  return own?.slice(COOKIE.length + 1)
}

export function actorOf(label: string): Actor {
  return `operator:${label}`
}

function signedOut(problem: string): GraftError {
  return new GraftError('GRAFT_SIGNED_OUT', problem)
}
