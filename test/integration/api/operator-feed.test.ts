import { randomUUID } from 'node:crypto'
import type { Socket as NetSocket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { io, type Socket } from 'socket.io-client'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { LiveEvent, OperatorNews } from '../../../shared/protocol/operator/live.ts'
import { msgpackParser } from '../../../shared/protocol/msgpack-parser.ts'
import { CLIENT, startTestApi } from '../../support/test-api.ts'
import { FEDERATION } from '../../support/test-operations.ts'

let api: Awaited<ReturnType<typeof startTestApi>>
const sockets: Socket[] = []

beforeAll(async () => {
  api = await startTestApi()
})
afterAll(async () => {
  for (const socket of sockets) socket.close()
  await api[Symbol.asyncDispose]()
})

describe('the live feed', () => {
  it('should tell at once what the federation does, and then what changes', async () => {
    const feed = connect({ auth: { token: api.secrets.viewer } })
    expect(await feed.next('federation:changed')).toEqual({ federation: FEDERATION })
    api.coordinator.state.federation = { ...FEDERATION, isPaused: true }
    for (let i = 0; i < 50; i++) api.coordinator.tell((it) => it.federationChanged())
    expect(await feed.next('federation:changed')).toMatchObject({ federation: { isPaused: true } })
    api.coordinator.state.federation = FEDERATION
    api.coordinator.tell((it) => it.resourceChanged('runs'))
    expect(await feed.next('resource:changed')).toEqual({ resource: 'runs' })
    // Fifty changes at once are one message.
    expect(feed.count('federation:changed')).toBe(2)
  })

  it('should tell all lanes of a round that begins, and then those that have changed', async () => {
    const lane = (client: string, done: number) => ({
      ...{ client: client as never, state: 'training' as const, since: '2026-01-01T00:00:00.000Z' },
      ...{ done, loss: null, losses: [], receivedBytes: 0, sizeBytes: null },
      ...{ isInCohort: true, problem: null },
    })
    const round = {
      ...{ run: randomUUID() as never, round: 1 as never, phase: 'collecting' as const },
      ...{ phaseSince: '2026-01-01T00:00:00.000Z', beganAt: '2026-01-01T00:00:00.000Z' },
      ...{ detail: null, deadlineAt: null, cohort: 2, quorum: 2, goal: 2, updates: 0 },
      ...{ remainingSeconds: null, failure: null },
    }
    api.coordinator.state.federation = { ...FEDERATION, run: round.run, round }
    api.coordinator.state.lanes = [lane('client-0', 0), lane('client-1', 0)]
    const feed = connect({ auth: { token: api.secrets.viewer } })
    expect((await feed.next('lanes:changed')).lanes).toHaveLength(2)
    api.coordinator.state.lanes = [lane('client-0', 0.5), lane('client-1', 0)]
    api.coordinator.tell((it) => it.laneChanged(CLIENT))
    expect(await feed.next('lanes:changed')).toMatchObject({
      lanes: [{ client: CLIENT, done: 0.5 }],
    })
    api.coordinator.state.federation = FEDERATION
    api.coordinator.state.lanes = []
  })

  it('should tell who was cut off what it missed, each event once, in order', async () => {
    const { run } = await api.seed(3)
    const { items } = await api.get<{ items: LiveEvent[] }>(`/api/v1/runs/${run}/events`)
    const [first, ...missed] = items
    const later = { ...missed.at(-1)!, id: `${first!.id.split('.')[0]}.999`, text: 'later' }
    const { operations } = api.coordinator
    const eventsAfter = operations.eventsAfter.bind(operations)
    vi.spyOn(operations, 'eventsAfter').mockImplementationOnce(async (...asked) => {
      const found = await eventsAfter(...asked)
      // Said while the missed ones are read: it comes behind them; what is among them is not told twice.
      api.coordinator.tell((it) => it.eventAppended(missed.at(-1)!))
      api.coordinator.tell((it) => it.eventAppended(later))
      return found
    })
    const feed = connect({ auth: { token: api.secrets.viewer, after: first!.id } })
    const heard: string[] = []
    while (heard.at(-1) !== later.id) heard.push((await feed.next('event:appended')).event.id)
    expect(heard).toEqual([...missed.map(({ id }) => id), later.id])
  })

  it('should keep little for an operator who does not read, cut it off, and tell it later what it missed', async () => {
    await using own = await startTestApi()
    const { run } = await own.seed(3)
    const { items } = await own.get<{ items: LiveEvent[] }>(`/api/v1/runs/${run}/events`)
    const [first, ...missed] = items
    const deaf = connect({ to: own.url, auth: { token: own.secrets.viewer } })
    const other = connect({ to: own.url, auth: { token: own.secrets.viewer } })
    for (const feed of [deaf, other]) await feed.next('federation:changed')
    deaf.readNothing()
    // Each message fills what the operating system holds for it, until messages wait in this process.
    const event = { ...missed.at(-1)!, text: 'x'.repeat(10_000) }
    const before = process.memoryUsage.rss()
    let told = 0
    const isCutOff = deaf.over.then(() => true)
    while (own.connections() === 2 && told < 20_000) {
      for (let i = 0; i < 100; i++) own.coordinator.tell((it) => it.eventAppended(event))
      told += 100
      await turn()
    }
    expect(own.connections()).toBe(1)
    expect(process.memoryUsage.rss() - before).toBeLessThan(300e6)
    await vi.waitFor(() => expect(other.count('event:appended')).toBe(told), { timeout: 20_000 })
    deaf.readAgain()
    expect(await isCutOff).toBe(true)
    const back = connect({ to: own.url, auth: { token: own.secrets.viewer, after: first!.id } })
    for (const { id } of missed) expect((await back.next('event:appended')).event.id).toBe(id)
  }, 60_000)

  it('should let a browser in by its cookie, from its own page only', async () => {
    const { cookie } = await api.signIn('viewer')
    const own = connect({ headers: { cookie, origin: api.url } })
    await own.next('federation:changed')
    const forged = connect({ headers: { cookie, origin: 'https://evil.example' } })
    expect(await forged.refused).toMatchObject({ data: { code: 'GRAFT_ORIGIN_REFUSED' } })
    const noted = (await api.refusals()).filter((it) => it.route === 'socket /operator')
    expect(noted).toMatchObject([{ code: 'GRAFT_ORIGIN_REFUSED', actor: 'operator:unknown' }])
  })

  it('should refuse who is not signed in, a token of a client, and fields that it does not know', async () => {
    expect(await connect({}).refused).toMatchObject({ data: { code: 'GRAFT_SIGNED_OUT' } })
    const made = { kind: 'join', requestId: randomUUID() }
    const { secret } = await api.get<{ secret: string }>('/api/v1/tokens', { body: made })
    const client = connect({ auth: { token: secret } })
    expect(await client.refused).toMatchObject({ data: { code: 'GRAFT_SIGNED_OUT' } })
    const odd = connect({ auth: { token: api.secrets.viewer, after: 'nonsense' } })
    expect(await odd.refused).toMatchObject({ data: { code: 'GRAFT_MESSAGE_INVALID' } })
  })

  it('should end with the session, and with the token, at once', async () => {
    const { cookie, session } = await api.signIn('viewer')
    const ofSession = connect({ headers: { cookie, origin: api.url } })
    await ofSession.next('federation:changed')
    await api.ask(`/api/v1/sessions/${session.id}`, { method: 'DELETE' })
    expect(await ofSession.over).toBe('io server disconnect')

    const createdBefore = api.store.findToken
    const made = { kind: 'operator', role: 'viewer', requestId: randomUUID() }
    const { id, secret } = await api.get<{ id: string; secret: string }>('/api/v1/tokens', {
      body: made,
    })
    const ofToken = connect({ auth: { token: secret } })
    await ofToken.next('federation:changed')
    // As if nobody looked at access again: what ends the feed is that it is told.
    const known = await api.store.findToken(secret)
    vi.spyOn(api.store, 'findToken').mockImplementation(async (asked) =>
      asked === secret ? known : createdBefore(asked),
    )
    const revoke = { action: 'revoke', requestId: randomUUID() }
    await api.get(`/api/v1/tokens/${id}/actions`, { body: revoke })
    expect(await ofToken.over).toBe('io server disconnect')
  })
})

// Helpers

interface ConnectOptions {
  readonly to?: string
  readonly auth?: object
  readonly headers?: Record<string, string>
}

function connect({ to = api.url, auth = {}, headers = {} }: ConnectOptions) {
  const socket = io(`${to}/operator`, {
    parser: msgpackParser,
    transports: ['websocket'],
    forceNew: true,
    reconnection: false,
    auth,
    extraHeaders: headers,
  })
  sockets.push(socket)
  const heard: [string, unknown][] = []
  const taken = new Map<string, number>()
  let changed: () => void = () => undefined
  socket.onAny((name: string, message: unknown) => {
    heard.push([name, message])
    changed()
  })
  const wire = () =>
    (socket.io.engine.transport as unknown as { ws: { _socket: NetSocket } }).ws._socket
  return {
    readNothing: () => void wire().pause(),
    readAgain: () => void wire().resume(),
    refused: new Promise<Error>((resolve) => socket.on('connect_error', resolve)),
    over: new Promise<string>((resolve) => socket.on('disconnect', resolve)),
    count: (name: string) => heard.filter(([it]) => it === name).length,
    /** The next message of this name. */
    async next<Name extends keyof OperatorNews>(
      name: Name,
    ): Promise<Parameters<OperatorNews[Name]>[0]> {
      const nth = taken.get(name) ?? 0
      taken.set(name, nth + 1)
      for (;;) {
        const found = heard.filter(([it]) => it === name)[nth]
        if (found !== undefined) return found[1] as Parameters<OperatorNews[Name]>[0]
        await new Promise<void>((resolve) => (changed = resolve))
      }
    },
  }
}
