import { describe, expect, it } from 'vitest'
import { DEFAULT_LIMITS, type GatewayLimits } from '../../server/gateway/gateway-limits.ts'
import { GraftError } from '../../shared/errors.ts'
import { Done, RunJoined, UploadOffset } from '../../shared/protocol/messages.ts'
import { pushUpdate } from '../../client/node/transfer.ts'
import {
  announce,
  AUTH,
  clientId,
  COMMIT,
  noise,
  overOf,
  round,
  startTestGateway,
  UNINSPECTED,
} from '../support/test-gateway.ts'

const limits = (changes: Partial<GatewayLimits>): GatewayLimits => ({
  ...DEFAULT_LIMITS,
  sparesLocal: false,
  ...changes,
})

describe('gateway limits', () => {
  it('should let in everybody of a crowd, the later ones when they were told to come again', async () => {
    const connects = { burst: 5, perSecond: 20 }
    await using server = await startTestGateway({}, { limits: limits({ connects }) })
    const begun = performance.now()
    const joins = Array.from({ length: 15 }, (_, i) => {
      const auth = { ...AUTH, name: clientId(`client-${i}`) }
      return server.connect({ auth, retrySeconds: 2 }).request('run:join', {}, RunJoined)
    })
    const joined = await Promise.all(joins)
    expect(joined.map(({ clientId: id }) => id)).toContain('client-14')
    // Ten had to wait for their turn, a twentieth of a second each.
    expect(performance.now() - begun).toBeGreaterThan((10 / 20) * 1000 - 100)
  })

  it('should let the clients of this machine be, unless told otherwise', async () => {
    const connects = { burst: 1, perSecond: 0.001 }
    await using server = await startTestGateway(
      {},
      { limits: { ...limits({ connects }), sparesLocal: true } },
    )
    for (const name of ['ada', 'bob', 'cid']) {
      const connection = server.connect({ auth: { ...AUTH, name: clientId(name) } })
      await connection.request('run:join', {}, RunJoined)
    }
  })

  it('should say to a client that comes again and again when it may', async () => {
    const joins = { burst: 1, perSecond: 0.01 }
    await using server = await startTestGateway({}, { limits: limits({ joins }) })
    await server.connect().request('run:join', {}, RunJoined)
    const again = server.connect({ retrySeconds: 60 })
    let isIn = false
    again.request('run:join', {}, RunJoined).then(
      () => (isIn = true),
      () => undefined,
    )
    // Another token, or another name, is another client.
    const other = server.connect({ auth: { ...AUTH, token: 'another' } })
    await other.request('run:join', {}, RunJoined)
    expect(isIn).toBe(false)
    expect(again.over.aborted).toBe(false)
  })

  it('should answer no more messages a second than it may, and none out of turn', async () => {
    const messages = { burst: 3, perSecond: 50 }
    await using server = await startTestGateway({}, { limits: limits({ messages }) })
    const connection = server.connect()
    const begun = performance.now()
    const bytes = noise(500)
    await connection.request('update:begin', announce(bytes), UploadOffset)
    const sent = Array.from({ length: 10 }, (_, i) => {
      const chunk = bytes.subarray(i * 50, (i + 1) * 50)
      const message = { round: round(1), offset: i * 50, chunk }
      return connection.request('update:chunk', message, UploadOffset)
    })
    const offsets = (await Promise.all(sent)).map(({ offset }) => offset)
    expect(offsets).toEqual(Array.from({ length: 10 }, (_, i) => (i + 1) * 50))
    expect(performance.now() - begun).toBeGreaterThan((8 / 50) * 1000 - 20)
    await connection.request('update:commit', { round: round(1), ...COMMIT }, Done)
    expect(server.seen.updates).toHaveLength(1)
  })

  it('should slow down a client that begins update after update', async () => {
    const uploads = { burst: 1, perSecond: 10 }
    await using server = await startTestGateway({}, { limits: limits({ uploads }) })
    const connection = server.connect()
    const begun = performance.now()
    for (const seed of [1, 2, 3]) {
      await connection.request('update:begin', announce(noise(10, seed)), UploadOffset)
    }
    expect(performance.now() - begun).toBeGreaterThan(180)
  })

  it('should send a message again when a coordinator says so', async () => {
    let asked = 0
    await using server = await startTestGateway({
      checkUpdate: () => {
        if (++asked > 2) return UNINSPECTED
        throw new GraftError('GRAFT_RATE_LIMITED', 'Later.', { retryAfterSeconds: 0.05 })
      },
    })
    const connection = server.connect()
    await pushUpdate(connection, { round: round(1), bytes: noise(10), commit: () => COMMIT })
    expect(asked).toBe(3)
    expect(server.seen.updates).toHaveLength(1)
  })
})

describe('wrong tokens', () => {
  const refusing = (auth: { token: string; name?: unknown }) => {
    if (auth.token !== 'right') throw new GraftError('GRAFT_TOKEN_INVALID', 'Unknown.')
    return clientId('ada')
  }

  it('should be answered the later, the more of them there were', async () => {
    await using server = await startTestGateway(
      { admit: async (auth) => refusing(auth) },
      { limits: limits({}) },
    )
    const times: number[] = []
    for (let i = 0; i < 7; i++) {
      const begun = performance.now()
      await overOf(server.connect({ auth: { ...AUTH, token: `wrong ${i}` } }))
      times.push(performance.now() - begun)
    }
    expect(times[5]).toBeGreaterThan(240)
    expect(times[6]).toBeGreaterThan(490)
    expect(Math.min(...times.slice(0, 5))).toBeLessThan(240)
  })

  it('should hold up nobody with a right one', async () => {
    await using server = await startTestGateway(
      { admit: async (auth) => refusing(auth) },
      { limits: limits({}) },
    )
    // So many that the last would be answered after 10 s; their answers are not waited for.
    for (let i = 0; i < 14; i++) server.connect({ auth: { ...AUTH, token: `wrong ${i}` } })
    const right = server.connect({ auth: { ...AUTH, token: 'right' }, retrySeconds: 5 })
    expect((await right.request('run:join', {}, RunJoined)).clientId).toBe('ada')
  })
})
