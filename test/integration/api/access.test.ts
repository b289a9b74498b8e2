import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readFile, rm } from 'node:fs/promises'
import { Agent, get, type IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openBlobs } from '../../../server/store/blobs.ts'
import {
  createSignInSecret,
  firstSignInSecret,
  toSignInLink,
} from '../../../server/store/sign-in-link.ts'
import { readTlsContext } from '../../../server/tls/tls-context.ts'
import type { ClientLane } from '../../../shared/protocol/operator/live.ts'
import { createTestAuthority } from '../../support/certificates.ts'
import { createTemporaryFolder } from '../../support/temporary-folder.ts'
import { CLIENT, startTestApi } from '../../support/test-api.ts'

/** As much of a token as is looked at here. */
interface Made {
  readonly id: string
  readonly label: string
  readonly secret: string
  readonly previousUntil: string
}

let api: Awaited<ReturnType<typeof startTestApi>>
beforeAll(async () => {
  api = await startTestApi()
})
afterAll(() => api[Symbol.asyncDispose]())

const withCookie = (cookie: string, csrfToken = '') => ({
  as: null,
  headers: { cookie, 'x-graft-csrf': csrfToken },
})

describe('signing in', () => {
  it('should give a cookie that no script of a page can read and no other site sends', async () => {
    const { response, session } = await api.signIn('operator')
    const [cookie] = response.headers.getSetCookie()
    expect(cookie).toMatch(
      /^graft_session=graft_[\w-]{43}; Path=\/; Expires=.*; HttpOnly; SameSite=Strict$/,
    )
    expect(session).toMatchObject({ label: 'operator', role: 'operator', isOwn: true })
  })

  it('should give a cookie that only comes back by TLS, where it was given by TLS', async () => {
    await using authority = await createTestAuthority()
    const tls = await readTlsContext(await authority.server(['127.0.0.1']))
    await using secured = await startTestApi({}, tls)
    const asked = request(new URL('/api/v1/session', secured.url), {
      method: 'POST',
      ca: await readFile(authority.ca),
      headers: { 'content-type': 'application/json' },
    })
    asked.end(JSON.stringify({ token: secured.secrets.viewer }))
    const [answer] = (await once(asked, 'response')) as [IncomingMessage]
    answer.resume()
    expect(answer.statusCode).toBe(201)
    const [cookie] = answer.headers['set-cookie'] ?? []
    expect(cookie).toMatch(/^graft_session=.*; HttpOnly; Secure; SameSite=Strict$/)
  })

  it('should tell who is signed in, and the same csrf token again', async () => {
    const { cookie, csrfToken } = await api.signIn('viewer')
    const own = await api.get('/api/v1/session', withCookie(cookie))
    expect(own).toMatchObject({ csrfToken, session: { role: 'viewer', isOwn: true } })
  })

  it('should end with a sign-out, and with the end of the session by an admin', async () => {
    for (const end of ['out', 'ended']) {
      const { cookie, csrfToken, session } = await api.signIn('operator')
      const how = end === 'out' ? withCookie(cookie, csrfToken) : { as: 'admin' as const }
      const path = end === 'out' ? '/api/v1/session' : `/api/v1/sessions/${session.id}`
      expect((await api.ask(path, { ...how, method: 'DELETE' })).status).toBe(204)
      const after = await api.ask('/api/v1/federation', withCookie(cookie))
      expect(await after.json()).toMatchObject({ status: 401, code: 'GRAFT_SIGNED_OUT' })
    }
  })

  it('should end at once when its token is revoked', async () => {
    const made = { kind: 'operator', role: 'operator', requestId: randomUUID() }
    const { id, secret } = await api.get<Made>('/api/v1/tokens', { body: made })
    const response = await api.ask('/api/v1/session', { as: null, body: { token: secret } })
    const cookie = response.headers.getSetCookie()[0]!.split(';')[0]!
    expect((await api.ask('/api/v1/federation', withCookie(cookie))).status).toBe(200)
    const revoke = { action: 'revoke', requestId: randomUUID() }
    expect(await api.get(`/api/v1/tokens/${id}/actions`, { body: revoke })).toMatchObject({
      state: 'revoked',
    })
    expect((await api.ask('/api/v1/federation', withCookie(cookie))).status).toBe(401)
    expect(api.coordinator.asked).toContainEqual(['tokenRevoked', id])
  })

  it('should refuse a token of a client, and one that is made up', async () => {
    const made = { kind: 'join', requestId: randomUUID() }
    const { secret } = await api.get<Made>('/api/v1/tokens', { body: made })
    for (const token of [secret, 'graft_made-up']) {
      const response = await api.ask('/api/v1/session', { as: null, body: { token } })
      expect(await response.json()).toMatchObject({ status: 401, code: 'GRAFT_SIGNED_OUT' })
    }
  })

  it('should be refused from another site', async () => {
    const headers = { origin: 'https://evil.example' }
    const body = { token: api.secrets.admin }
    const response = await api.ask('/api/v1/session', { as: null, body, headers })
    expect(await response.json()).toMatchObject({ code: 'GRAFT_ORIGIN_REFUSED' })
  })

  it('should wait longer with each wrong attempt, and say how long', async () => {
    await using own = await startTestApi()
    const attempt = (token: string) =>
      own.ask('/api/v1/session', { as: null, body: { token } }).then((it) => it)
    for (let i = 0; i < 5; i++) expect((await attempt(`graft_wrong${i}`)).status).toBe(401)
    const refused = await attempt(own.secrets.admin)
    expect(refused.status).toBe(429)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await refused.json()).toMatchObject({ code: 'GRAFT_RATE_LIMITED' })
  })
})

describe('a sign-in link', () => {
  it('should sign in an admin, once, with a token that can be revoked', async () => {
    const link = new URL(toSignInLink(api.url, await createSignInSecret(api.store)))
    expect(link.pathname).toBe('/sign-in')
    const once = link.hash.replace('#once=', '')
    const first = await api.ask('/api/v1/session', { as: null, body: { once } })
    expect(await first.json()).toMatchObject({ session: { role: 'admin', label: 'sign-in link' } })
    const second = await api.ask('/api/v1/session', { as: null, body: { once } })
    expect(await second.json()).toMatchObject({ code: 'GRAFT_SIGNED_OUT' })
    const { items } = await api.get<{ items: Made[] }>('/api/v1/tokens?kind=operator&state=valid')
    expect(items.map((it) => it.label)).toContain('sign-in link')
  })

  it('should be made at the first start only', async () => {
    expect(await firstSignInSecret(api.store)).toBeNull()
    const nobody = { ...api.store, listTokens: async () => [] }
    expect(await firstSignInSecret(nobody)).toMatch(/^graft_/)
  })
})

describe('tokens', () => {
  it('should tell a secret once, and repeat the answer to a repeated request', async () => {
    const requestId = randomUUID()
    const body = { kind: 'client', client: 'anna', requestId }
    const first = await api.get<Made>('/api/v1/tokens', { body })
    expect(first.secret).toMatch(/^graft_/)
    expect(await api.get('/api/v1/tokens', { body })).toEqual(first)
    const other = await api.ask('/api/v1/tokens', { body: { ...body, client: 'ben' } })
    expect(await other.json()).toMatchObject({ status: 409, code: 'GRAFT_REQUEST_REPEATED' })
    const all = await api.store.lists.audit({ limit: 100 })
    expect(
      JSON.stringify(all, (_key, it: unknown) => (typeof it === 'bigint' ? String(it) : it)),
    ).not.toContain(first.secret)
  })

  it('should rotate: the new secret is good at once, the old one for a while', async () => {
    const made = { kind: 'operator', role: 'viewer', requestId: randomUUID() }
    const old = await api.get<Made>('/api/v1/tokens', { body: made })
    const rotate = { action: 'rotate', requestId: randomUUID() }
    const next = await api.get<Made>(`/api/v1/tokens/${old.id}/actions`, { body: rotate })
    expect(new Date(next.previousUntil).getTime()).toBeGreaterThan(Date.now() + 23 * 3_600_000)
    for (const { secret } of [old, next]) {
      const headers = { authorization: `Bearer ${secret}` }
      expect((await api.ask('/api/v1/federation', { as: null, headers })).status).toBe(200)
    }
  })

  it.each([
    [{ kind: 'operator' }, 'role'],
    [{ kind: 'join', role: 'admin' }, 'role'],
    [{ kind: 'client' }, 'name'],
    [{ kind: 'join', client: 'anna' }, 'no one client'],
  ])('should refuse %j', async (form, reason) => {
    const response = await api.ask('/api/v1/tokens', { body: { ...form, requestId: randomUUID() } })
    const problem = await response.json()
    expect(problem).toMatchObject({ status: 400, code: 'GRAFT_REQUEST_INVALID' })
    expect((problem as { detail: string }).detail).toContain(reason)
  })
})

describe('every answer', () => {
  it('should leave its connection open for longer than a browser or a proxy does', async () => {
    const agent = new Agent({ keepAlive: true })
    const asked = get(new URL('/healthz', api.url), { agent })
    const [answer] = (await once(asked, 'response')) as [IncomingMessage]
    answer.resume()
    expect(answer.headers['keep-alive']).toBe('timeout=72')
    agent.destroy()
  })

  it('should carry headers that keep other sites out, and no permission for them', async () => {
    const response = await api.ask('/', { as: null, headers: { origin: 'https://evil.example' } })
    const { headers } = response
    expect(headers.get('content-security-policy')).toContain("default-src 'none';script-src 'self'")
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('referrer-policy')).toBe('no-referrer')
    expect([...headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([])
    expect((await api.ask('/api/v1/runs', { method: 'OPTIONS' })).status).toBe(405)
  })

  it('should be a problem with code and remedy for whatever is wrong', async () => {
    const json = { 'content-type': 'application/json' }
    const cases: [string, Parameters<typeof api.ask>[1], number, string][] = [
      ['/api/v1/none', {}, 404, 'GRAFT_NOT_FOUND'],
      ['/api/v1/runs', { method: 'PUT', body: {} }, 405, 'GRAFT_METHOD_NOT_ALLOWED'],
      ['/api/v1/runs', { body: '{"options":', headers: json }, 400, 'GRAFT_REQUEST_INVALID'],
      ['/api/v1/runs', { body: { options: 1 } }, 400, 'GRAFT_REQUEST_INVALID'],
      [
        '/api/v1/runs',
        { body: 'x', headers: { 'content-type': 'text/xml' } },
        400,
        'GRAFT_REQUEST_INVALID',
      ],
      [
        '/api/v1/runs',
        { body: { options: { model: 'x'.repeat(300_000) } } },
        413,
        'GRAFT_REQUEST_TOO_LARGE',
      ],
      ['/api/v1/runs?cursor=nonsense', {}, 400, 'GRAFT_REQUEST_INVALID'],
      ['/api/v1/runs?limit=0', {}, 400, 'GRAFT_REQUEST_INVALID'],
      ['/api/v1/runs?colour=red', {}, 400, 'GRAFT_REQUEST_INVALID'],
      ['/api/v1/runs/no-uuid', {}, 400, 'GRAFT_REQUEST_INVALID'],
      [`/api/v1/runs/${randomUUID()}`, {}, 404, 'GRAFT_NOT_FOUND'],
      ['/api/v1/clients/nobody', {}, 404, 'GRAFT_NOT_FOUND'],
      ['/api/v1/%E0%A4%A', {}, 400, 'GRAFT_REQUEST_INVALID'],
    ]
    for (const [path, how, status, code] of cases) {
      const response = await api.ask(path, how)
      const problem = await response.json()
      expect(problem, path).toMatchObject({ status, code, remedy: expect.any(String) as string })
      expect(response.status, path).toBe(status)
    }
    expect(api.faults).toEqual([])
  })
})

describe('operations', () => {
  it('should say that it is not ready when another leads, or its folder cannot be written', async () => {
    await using folder = await createTemporaryFolder()
    const blobs = await openBlobs(join(folder.path, 'blobs'))
    await rm(folder.path, { recursive: true })
    await using own = await startTestApi({ isLeading: () => false, blobs })
    const response = await own.ask('/readyz', { as: null })
    expect(response.status).toBe(503)
    expect(await response.json()).toMatchObject({
      isReady: false,
      leads: { isGood: false },
      database: { isGood: true },
      blobs: { isGood: false },
    })
    expect((await own.ask('/healthz', { as: null })).status).toBe(200)
  })

  it('should say that it is not ready from the moment on that it is told to end', async () => {
    await using own = await startTestApi({ isEnding: () => true })
    const response = await own.ask('/readyz', { as: null })
    expect(response.status).toBe(503)
    expect(await response.json()).toMatchObject({
      isReady: false,
      leads: { isGood: false, detail: 'is about to end' },
    })
  })

  it('should count rounds, uploads, clients and requests for viewers', async () => {
    const event = { type: 'update-received', phase: 'collecting' } as never
    api.coordinator.tell((it) => it.eventAppended(event))
    api.coordinator.tell((it) => it.eventAppended({ type: 'x', phase: 'published' } as never))
    const text = await (await api.ask('/metrics', { as: 'viewer' })).text()
    expect(text).toContain('graft_rounds_total{outcome="published"} 1')
    expect(text).toContain('graft_uploads_total 1')
    expect(text).toContain('graft_clients{state="training"} 0')
    expect(text).toMatch(
      /graft_http_request_duration_seconds_count\{method="GET",route="\/healthz",status="200"\}|graft_http_request_duration_seconds_count\{/,
    )
    for (const name of [
      'graft_round_phase{phase="collecting"}',
      'graft_upload_bytes_total',
      'graft_runs_queued',
      'process_resident_memory_bytes',
      'nodejs_eventloop_lag_seconds',
    ]) {
      expect(text).toContain(`\n${name} `)
    }
    expect((await api.ask('/metrics', { as: null })).status).toBe(401)
  })

  it('should count the bytes of updates as they come in, in each round anew', async () => {
    await using own = await startTestApi()
    const { state, tell } = own.coordinator
    const comes = (receivedBytes: number) => {
      state.lanes = [{ client: CLIENT, state: 'uploading', receivedBytes } as ClientLane]
      tell((it) => it.laneChanged(CLIENT))
    }
    for (const receivedBytes of [300, 300, 1000]) comes(receivedBytes)
    tell((it) => it.resourceChanged('rounds'))
    comes(1000)
    const text = await (await own.ask('/metrics')).text()
    expect(text).toContain('graft_upload_bytes_total 2000')
  })

  it('should serve the console, its hashed files for ever, and its page for every path of its own', async () => {
    const hashed = await api.ask('/assets/index-abc123.js', { as: null })
    expect(hashed.headers.get('cache-control')).toContain('immutable')
    for (const path of ['/', '/runs/1', '/sign-in']) {
      const page = await api.ask(path, { as: null })
      expect(await page.text()).toContain('Console')
      expect(page.headers.get('cache-control')).toBe('no-cache')
    }
    expect((await api.ask('/assets/gone.js', { as: null })).status).toBe(404)
    await using bare = await startTestApi({ consoleFolder: '/nowhere' })
    const page = await bare.ask('/', { as: null })
    expect(page.status).toBe(503)
    expect(await page.text()).toContain('npm run build')
  })
})

describe('a request with an id', () => {
  it('should be performed once, and answered the same each time', async () => {
    const requestId = randomUUID()
    const body = { options: { seed: 11 }, requestId }
    const ask = () => api.get<{ id: string }>('/api/v1/runs', { body })
    const answers = await Promise.all([1, 2, 3].map(ask))
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1)
    expect(await api.get('/api/v1/runs', { body })).toEqual(answers[0])
    const made = api.coordinator.asked.filter(
      ([name, of]) => name === 'createRun' && (of as { seed: number }).seed === 11,
    )
    expect(made).toHaveLength(1)
    const other = await api.ask('/api/v1/runs', { body: { ...body, options: { seed: 12 } } })
    expect(await other.json()).toMatchObject({ code: 'GRAFT_REQUEST_REPEATED' })
  })

  it('should be free again when it was refused', async () => {
    const requestId = randomUUID()
    const refused = await api.ask('/api/v1/runs', { body: { options: { seed: -1 }, requestId } })
    const problem = (await refused.json()) as { detail: string }
    expect(problem).toMatchObject({ status: 400, code: 'GRAFT_OPTION_INVALID' })
    expect(problem.detail).toContain('--seed -1 is not allowed')
    const body = { options: { seed: 1 }, requestId }
    expect((await api.ask('/api/v1/runs', { body })).status).toBe(201)
  })
})

describe('a client', () => {
  it('should have contributed what the newest round says that measured it', async () => {
    await using own = await startTestApi()
    const contribution = async () => {
      const page = await own.get<{ items: { contribution: number }[] }>('/api/v1/clients')
      return page.items.map((it) => it.contribution)
    }
    await own.seed(2)
    expect(await contribution()).toEqual([0.02])
    await own.seed(3)
    expect(await contribution()).toEqual([0.03])
    expect(await contribution()).toEqual([0.03])
  })
})

describe('downloads', () => {
  it('should answer a range, and nothing to who has it', async () => {
    const { models } = await api.seed(1)
    const path = `/api/v1/models/${models[0]}/safetensors`
    const whole = Buffer.from(await (await api.ask(path)).arrayBuffer())
    const part = await api.ask(path, { headers: { range: 'bytes=10-19' } })
    expect(part.status).toBe(206)
    expect(part.headers.get('content-range')).toBe(`bytes 10-19/${whole.length}`)
    expect(Buffer.from(await part.arrayBuffer())).toEqual(whole.subarray(10, 20))
    const beyond = await api.ask(path, { headers: { range: 'bytes=99999999-' } })
    expect(beyond.status).toBe(416)
    const known = await api.ask(path, { headers: { 'if-none-match': `"${models[0]}"` } })
    expect(known.status).toBe(304)
    expect(await known.text()).toBe('')
  })
})

describe('pages', () => {
  it('should go through a list without repeating or losing an item', async () => {
    const { run } = await api.seed(5)
    const seen: number[] = []
    let next: string | null = ''
    while (next !== null) {
      const cursor: string = next === '' ? '' : `&cursor=${next}`
      const path = `/api/v1/runs/${run}/rounds?limit=2${cursor}`
      const page = await api.get<{ items: { round: number }[]; next: string | null }>(path)
      seen.push(...page.items.map((it) => it.round))
      ;({ next } = page)
    }
    expect(seen).toEqual([1, 2, 3, 4, 5])
  })
})
