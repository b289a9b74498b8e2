import { randomUUID } from 'node:crypto'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createSecret } from '../../../server/store/token.ts'
import { CLIENT, startTestApi } from '../../support/test-api.ts'

type Api = Awaited<ReturnType<typeof startTestApi>>
interface Operation {
  'x-graft-role': string
  responses: Record<string, { content: Record<string, unknown> }>
}
interface Document {
  paths: Record<string, Record<string, Operation>>
}

let api: Api
let document: Document
let run: string
let models: string[]

beforeAll(async () => {
  api = await startTestApi()
  const seeded = await api.seed()
  ;({ run } = seeded)
  models = seeded.models
  await api.store.audit({ actor: 'coordinator', action: 'test:noted', details: { n: 1 } })
  const id = `client-0.3.${models[0]}.safetensors`
  api.coordinator.state.quarantine = [
    {
      id,
      client: CLIENT,
      round: 3 as never,
      sha256: models[0] as never,
      sizeBytes: 10,
      at: '2026-01-01T00:00:00.000Z',
      code: 'GRAFT_NOT_FINITE',
      problem: 'NaN',
      canRelease: true,
    },
  ]
  document = await api.get('/api/v1/openapi.json')
})
afterAll(() => api[Symbol.asyncDispose]())

/** A request to each route that is granted; a route that is not here fails the first test. */
function granted(): Record<string, { path?: string; body?: unknown; status?: number }> {
  const requestId = randomUUID()
  const quarantined = encodeURIComponent(api.coordinator.state.quarantine[0]!.id)
  return {
    'GET /healthz': {},
    'GET /readyz': {},
    'GET /metrics': {},
    'GET /api/v1/openapi.json': {},
    'GET /api/v1/reference': {},
    'GET /api/v1/federation': {},
    'GET /api/v1/runs': {},
    'POST /api/v1/runs': { body: { options: { clients: 3 }, requestId }, status: 201 },
    'GET /api/v1/run-form': {},
    'GET /api/v1/runs/{run}': {},
    'POST /api/v1/runs/{run}/actions': { body: { action: 'pause', requestId } },
    'GET /api/v1/runs/{run}/rounds': {},
    'GET /api/v1/runs/{run}/rounds/{round}': {},
    'GET /api/v1/runs/{run}/rounds/{round}/ledger': {},
    'GET /api/v1/runs/{run}/events': {},
    'GET /api/v1/clients': {},
    'GET /api/v1/clients/{client}': {},
    'GET /api/v1/clients/{client}/rounds': {},
    'POST /api/v1/clients/{client}/actions': { body: { action: 'ban', reason: 'why', requestId } },
    'GET /api/v1/models': {},
    'GET /api/v1/models/compare': { path: `/api/v1/models/compare?a=${models[0]}&b=${models[1]}` },
    'GET /api/v1/models/{sha256}': {},
    'GET /api/v1/models/{sha256}/safetensors': {},
    'GET /api/v1/models/{sha256}/tfjs': {},
    'POST /api/v1/models/{sha256}/actions': { body: { action: 'roll-back', run, requestId } },
    'GET /api/v1/quarantine': {},
    'POST /api/v1/quarantine/{id}/actions': {
      path: `/api/v1/quarantine/${quarantined}/actions`,
      body: { action: 'remove', requestId },
    },
    'GET /api/v1/tokens': {},
    'POST /api/v1/tokens': { body: { kind: 'operator', role: 'viewer', requestId }, status: 201 },
    'GET /api/v1/tokens/{id}': { path: `/api/v1/tokens/${api.tokens.viewer}` },
    'POST /api/v1/tokens/{id}/actions': {
      path: `/api/v1/tokens/${api.tokens.viewer}/actions`,
      body: { action: 'rotate', requestId },
    },
    'POST /api/v1/session': { body: { token: api.secrets.operator }, status: 201 },
    'GET /api/v1/session': {},
    'DELETE /api/v1/session': { status: 204 },
    'GET /api/v1/sessions': {},
    'DELETE /api/v1/sessions/{id}': { status: 204 },
    'GET /api/v1/audit': {},
    'GET /api/v1/audit/export': {},
  }
}

const pathOf = (route: string, id = randomUUID() as string) =>
  route
    .replace(/^\w+ /, '')
    .replace('{run}', run)
    .replace('{round}', '1')
    .replace('{client}', CLIENT)
    .replace('{sha256}', models[0]!)
    .replace('{id}', id)

const routesOf = (): [string, Operation][] =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): [string, Operation] => [
      `${method.toUpperCase()} ${path}`,
      operation,
    ]),
  )

describe('every route of the OpenAPI document', () => {
  it('should be tried here', () => {
    expect(
      routesOf()
        .map(([route]) => route)
        .sort(),
    ).toEqual(Object.keys(granted()).sort())
  })

  it('should name the role that it takes, and a summary', () => {
    for (const [route, operation] of routesOf()) {
      expect(operation, route).toMatchObject({ summary: expect.any(String) as string })
      expect(['anybody', 'viewer', 'operator', 'admin'], route).toContain(operation['x-graft-role'])
    }
  })

  it('should let viewers change nothing but their own session, and operators hand out no access', () => {
    const needed = (route: string): string => {
      if (/ \/(healthz|readyz)$|\/(openapi\.json|reference)$|^POST \S+\/session$/.test(route)) {
        return 'anybody'
      }
      if (/\/(tokens|sessions)(\/|$)|\/audit\/export$/.test(route)) return 'admin'
      return route.startsWith('GET') || route === 'DELETE /api/v1/session' ? 'viewer' : 'operator'
    }
    for (const [route, operation] of routesOf()) {
      expect(operation['x-graft-role'], route).toBe(needed(route))
    }
  })

  it('should answer what its schema says', async () => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false })
    ajv.addSchema(document, 'openapi')
    for (const [route, operation] of routesOf()) {
      const { path, body, status = 200 } = granted()[route]!
      const method = route.split(' ', 1)[0]!
      const { cookie, csrfToken, session } = await api.signIn('admin')
      const response = await api.ask(path ?? pathOf(route, session.id), {
        as: null,
        method,
        ...(body !== undefined && { body }),
        headers: { cookie, 'x-graft-csrf': csrfToken },
      })
      expect(
        response.status,
        `${route} ${status === response.status ? '' : await response.text()}`,
      ).toBe(status)
      const type = response.headers.get('content-type')?.split(';', 1)[0]
      const { content } = operation.responses[status]!
      if (status === 204) {
        expect(await response.text(), route).toBe('')
        continue
      }
      expect(Object.keys(content), route).toContain(type)
      if (type !== 'application/json') {
        expect((await response.arrayBuffer()).byteLength, route).toBeGreaterThan(0)
        continue
      }
      const pointer = `openapi#/paths/${route.replace(/^\w+ /, '').replaceAll('~', '~0').replaceAll('/', '~1').replaceAll('{', '%7B').replaceAll('}', '%7D')}/${method.toLowerCase()}/responses/${status}/content/application~1json/schema`
      const validate = ajv.getSchema(pointer)!
      const answer: unknown = await response.json()
      // A schema that lets everything through would make this test blind.
      if (!route.endsWith('openapi.json')) expect(validate({ made: 'up' }), route).toBe(false)
      expect(validate(answer), `${route}: ${JSON.stringify(validate.errors)}`).toBe(true)
    }
    expect(api.faults).toEqual([])
  })

  it('should refuse a role below its own, and let in its own and those above', async () => {
    const ranks = ['viewer', 'operator', 'admin'] as const
    for (const [route, operation] of routesOf()) {
      const needed = operation['x-graft-role']
      const method = route.split(' ', 1)[0]!
      for (const as of ranks) {
        const isEnough =
          needed === 'anybody' || ranks.indexOf(as) >= ranks.indexOf(needed as 'viewer')
        const response = await api.ask(granted()[route]!.path ?? pathOf(route), { as, method })
        await response.body?.cancel()
        const denied = response.status === 403
        expect(denied, `${route} as ${as}: ${response.status}`).toBe(!isEnough)
      }
      const stranger = await api.ask(granted()[route]!.path ?? pathOf(route), { as: null, method })
      await stranger.body?.cancel()
      expect(stranger.status === 401, `${route}: ${stranger.status}`).toBe(needed !== 'anybody')
    }
  })
})

describe('every route that changes something', () => {
  const unsafe = () =>
    routesOf().filter(([route]) => !route.startsWith('GET') && route !== 'POST /api/v1/session')

  it('should be refused without a session, as viewer, from another site, with a stale token and without csrf', async () => {
    const stale = await api.signIn('admin')
    await api.store.sessions.end(stale.session.id)
    const revoked = await tokenOnce(null)
    await api.store.revokeToken(revoked.id)
    const expired = await tokenOnce(new Date(Date.now() - 1000))
    const { cookie, csrfToken } = await api.signIn('admin')
    const viewer = await api.signIn('viewer')
    for (const [route, operation] of unsafe()) {
      const method = route.split(' ', 1)[0]!
      const { path = pathOf(route), body } = granted()[route]!
      const attempts: [string, number, string, Record<string, string>][] = [
        ['no session', 401, 'GRAFT_SIGNED_OUT', {}],
        ['a made-up token', 401, 'GRAFT_SIGNED_OUT', bearer('graft_made-up')],
        ['a revoked token', 401, 'GRAFT_SIGNED_OUT', bearer(revoked.secret)],
        ['an expired token', 401, 'GRAFT_SIGNED_OUT', bearer(expired.secret)],
        [
          'a stale session',
          401,
          'GRAFT_SIGNED_OUT',
          { cookie: stale.cookie, 'x-graft-csrf': stale.csrfToken },
        ],
        ['no csrf', 403, 'GRAFT_ORIGIN_REFUSED', { cookie }],
        ['another csrf', 403, 'GRAFT_ORIGIN_REFUSED', { cookie, 'x-graft-csrf': viewer.csrfToken }],
        [
          'a forged origin',
          403,
          'GRAFT_ORIGIN_REFUSED',
          { cookie, 'x-graft-csrf': csrfToken, origin: 'https://evil.example' },
        ],
        [
          'another site',
          403,
          'GRAFT_ORIGIN_REFUSED',
          { cookie, 'x-graft-csrf': csrfToken, 'sec-fetch-site': 'cross-site' },
        ],
      ]
      if (operation['x-graft-role'] !== 'viewer') {
        const headers = { cookie: viewer.cookie, 'x-graft-csrf': viewer.csrfToken }
        attempts.push(['a viewer', 403, 'GRAFT_ROLE_TOO_LOW', headers])
      }
      const before = api.coordinator.asked.length
      for (const [what, status, code, headers] of attempts) {
        const response = await api.ask(path, {
          as: null,
          method,
          headers,
          ...(body !== undefined && { body }),
        })
        expect(await response.json(), `${route} with ${what}`).toMatchObject({ status, code })
        expect(response.headers.get('content-type')).toBe('application/problem+json')
      }
      expect(api.coordinator.asked.length, route).toBe(before)
      const noted = (await api.refusals()).filter(
        (it) => it.route === route.replaceAll(/\{(\w+)\}/g, ':$1'),
      )
      for (const code of new Set(attempts.map(([, , code]) => code))) {
        expect(
          noted.map((it) => it.code),
          route,
        ).toContain(code)
      }
    }
  })
})

const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` })

/** An admin's token that ends then, if ever. */
async function tokenOnce(expiresAt: Date | null) {
  const secret = createSecret()
  const made = { kind: 'operator', clientId: null, role: 'admin', label: 'once' } as const
  const { id } = await api.store.createToken({ ...made, secret, expiresAt })
  return { id, secret }
}
