import type { CookieSerializeOptions } from '@fastify/cookie'
import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { GraftError } from '../../../shared/errors.ts'
import { SignInForm } from '../../../shared/protocol/operator/actions.ts'
import { pageOf, SessionResource, SignedIn } from '../../../shared/protocol/operator/resources.ts'
import type { SessionRecord } from '../../store/operator-store.ts'
import type { Store } from '../../store/store.ts'
import { createSecret } from '../../store/token.ts'
import type { AccessWatch } from '../access-watch.ts'
import { type ApiApp, NOTHING, of } from '../api-app.ts'
import type { ApiContext } from '../api-context.ts'
import { PAGE_QUERY, pageOfList } from '../cursor.ts'
import { identityOf } from '../guard.ts'
import { actorOf, COOKIE, csrfTokenOf, idleSince, sessionEnd } from '../identity.ts'
import type { SignInLimit } from '../sign-in-limit.ts'

const tags: [string] = ['sessions']
const LONGEST_USER_AGENT = 300
/** What the token is called that a link makes; its secret nobody ever has. */
const LINK_LABEL = 'sign-in link'

/** Sessions: sign in, the own one, sign out, list, end. */
export function sessionRoutes(
  app: ApiApp,
  { store }: ApiContext,
  { limit, watch }: { readonly limit: SignInLimit; readonly watch: AccessWatch },
): void {
  app.post(
    '/session',
    of('anybody', {
      tags,
      summary: 'Sign in with an operator token, or with a link, once',
      description:
        'Answers with a cookie, and with what the header `x-graft-csrf` has to say in each request that changes something.',
      body: SignInForm,
      response: { 201: SignedIn },
    }),
    async (request, reply) => {
      const form = request.body
      const given = 'token' in form ? form.token : form.once
      limit.check(request.ip, given)
      const expiresAt = sessionEnd()
      const tokenId =
        'token' in form ? await tokenOf(store, given) : await useLink(store, given, expiresAt)
      if (tokenId === null) {
        limit.failed(request.ip, given)
        const what = 'token' in form ? 'token is not one of an operator, or' : 'link was used or is'
        throw new GraftError('GRAFT_SIGNED_OUT', `The ${what} no longer valid.`)
      }
      limit.succeeded(request.ip, given)
      const secret = createSecret()
      const userAgent = (request.headers['user-agent'] ?? '').slice(0, LONGEST_USER_AGENT)
      const session = await store.sessions.open({ secret, tokenId, userAgent, expiresAt })
      const details = { session: session.id, role: session.role, address: request.ip }
      await store.audit({ actor: actorOf(session.label), action: 'session:opened', details })
      reply.setCookie(COOKIE, secret, cookieOptions(request, expiresAt))
      return reply.code(201).send({
        session: toSessionResource(session, session.id),
        csrfToken: csrfTokenOf(secret),
      })
    },
  )

  app.get(
    '/session',
    of('viewer', {
      tags,
      summary: 'Who is signed in',
      response: { 200: SignedIn },
    }),
    async (request) => {
      const { session, csrfToken } = identityOf(request)
      if (session === null || csrfToken === null) throw noSession()
      return { session: toSessionResource(session, session.id), csrfToken }
    },
  )

  app.delete(
    '/session',
    of('viewer', {
      tags,
      summary: 'Sign out',
      response: { 204: NOTHING },
    }),
    async (request, reply) => {
      const { session, actor } = identityOf(request)
      if (session === null) throw noSession()
      await store.sessions.end(session.id)
      await store.audit({ actor, action: 'session:closed', details: { session: session.id } })
      watch.sessionEnded(session.id)
      reply.clearCookie(COOKIE, cookieOptions(request))
      return reply.code(204).send(null)
    },
  )

  app.get(
    '/sessions',
    of('admin', {
      tags,
      summary: 'Operators who are signed in, oldest first',
      querystring: z.strictObject(PAGE_QUERY),
      response: { 200: pageOf(SessionResource) },
    }),
    async (request) => {
      const own = identityOf(request).session?.id
      const all = await store.sessions.list(idleSince())
      const resources = all.map((session) => toSessionResource(session, own))
      return pageOfList(resources, request.query, ({ createdAt, id }) => `${createdAt} ${id}`)
    },
  )

  app.delete(
    '/sessions/:id',
    of('admin', {
      tags,
      summary: 'End a session at once',
      params: z.strictObject({ id: z.uuid() }),
      response: { 204: NOTHING },
    }),
    async (request, reply) => {
      const { id } = request.params
      if (!(await store.sessions.end(id))) {
        throw new GraftError('GRAFT_NOT_FOUND', `There is no session ${id} that has not ended.`)
      }
      const { actor } = identityOf(request)
      await store.audit({ actor, action: 'session:ended', details: { session: id } })
      watch.sessionEnded(id)
      return reply.code(204).send(null)
    },
  )
}

async function tokenOf(store: Store, secret: string): Promise<string | null> {
  const token = await store.findToken(secret)
  return token?.kind === 'operator' ? token.id : null
}

/** The session of a link has a token like every other, so that revoking it ends the session; it ends with it, too. */
async function useLink(store: Store, secret: string, expiresAt: Date): Promise<string | null> {
  if (!(await store.signInLinks.use(secret))) return null
  const { id } = await store.createToken({
    secret: createSecret(),
    kind: 'operator',
    clientId: null,
    role: 'admin',
    label: LINK_LABEL,
    expiresAt,
  })
  const details = { id, kind: 'operator', role: 'admin', label: LINK_LABEL, expiresAt }
  await store.audit({ actor: actorOf(LINK_LABEL), action: 'token:created', details })
  return id
}

/** `Secure` where the browser came by TLS: over plain HTTP it would not send the cookie back. */
function cookieOptions({ protocol }: FastifyRequest, expires?: Date): CookieSerializeOptions {
  const secure = protocol === 'https'
  return { httpOnly: true, sameSite: 'strict', path: '/', secure, ...(expires && { expires }) }
}

function toSessionResource(session: SessionRecord, own: string | undefined): SessionResource {
  const { id, label, role, createdAt, lastSeenAt, expiresAt, userAgent } = session
  return {
    id,
    label,
    role,
    createdAt: createdAt.toISOString(),
    lastSeenAt: lastSeenAt.toISOString(),
    expiresAt: expiresAt.toISOString(),
    userAgent,
    isOwn: id === own,
  }
}

function noSession(): GraftError {
  return new GraftError('GRAFT_NOT_FOUND', 'A request with a bearer token has no session.')
}
