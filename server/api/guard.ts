import '@fastify/cookie'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { GraftError } from '../../shared/errors.ts'
import { mayAct, type Role } from '../../shared/protocol/operator/role.ts'
import type { Store } from '../store/store.ts'
import { bearerOf, COOKIE, identify, type Identity, isSameText } from './identity.ts'
import { assertOwnOrigin } from './origin.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whom a route is for; `anybody` needs no session. */
    access?: Role | 'anybody'
  }
  interface FastifyRequest {
    /** Who asks; null of a route for anybody. */
    identity: Identity | null
  }
}

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS'])

/** Lets each request in, or not, before its body is read. A route that does not say whom it is for is for nobody. */
export function addGuard(app: FastifyInstance, store: Pick<Store, 'findToken' | 'sessions'>): void {
  app.decorateRequest('identity', null)
  app.addHook('onRequest', async (request) => {
    const isUnsafe = !SAFE_METHODS.has(request.method)
    const { access } = request.routeOptions.config
    // Found no route: answered as such, whoever asks.
    if (request.is404) return
    if (isUnsafe) assertOwnOrigin(request.headers)
    if (access === 'anybody') return
    const bearer = bearerOf(request.headers.authorization)
    request.identity = await identify(store, { bearer, cookie: request.cookies[COOKIE] })
    if (isUnsafe) assertCsrf(request, request.identity)
    assertRole(request.identity, access)
  })
}

/** Who asks, of a route that is not for anybody. */
export function identityOf({ identity }: FastifyRequest): Identity {
  if (identity === null) throw new TypeError('The route is for anybody.')
  return identity
}

function assertCsrf({ headers }: FastifyRequest, { csrfToken }: Identity): void {
  if (csrfToken === null) return
  const given = headers['x-graft-csrf']
  if (typeof given === 'string' && isSameText(given, csrfToken)) return
  throw new GraftError(
    'GRAFT_ORIGIN_REFUSED',
    given === undefined
      ? 'The request changes something and has no header x-graft-csrf.'
      : 'The header x-graft-csrf is not that of this session.',
  )
}

function assertRole({ role, label }: Identity, needed: Role | undefined): void {
  if (needed !== undefined && mayAct(role, needed)) return
  throw new GraftError(
    'GRAFT_ROLE_TOO_LOW',
    `${label} is signed in as ${role}; this takes ${needed ?? 'a role that nobody has'}.`,
  )
}
