import { describe, expect, it } from 'vitest'
import { createClientDesk } from '../../../../server/coordinator/client-desk.ts'
import type { GatewayHandlers } from '../../../../server/gateway/gateway.ts'
import type { Store } from '../../../../server/store/store.ts'
import { ClientId, RunId } from '../../../../shared/ids.ts'
import type { ClientAuth } from '../../../../shared/protocol/messages.ts'
import { announce, SETTINGS } from '../../../support/test-gateway.ts'

const ada = ClientId.parse('ada')
const [first, second] = [1, 2].map((n) =>
  RunId.parse(`00000000-0000-4000-8000-00000000000${n}`),
) as [RunId, RunId]
const AUTH: ClientAuth = { protocol: 1, token: 'secret', name: ada, version: '0', engine: 'test' }
const PEER = { address: '127.0.0.1' }
const READY = { numExamples: 1, classCounts: [1] as [number] }

describe('createClientDesk', () => {
  it('should let clients in while no run goes on, and answer their join when one begins', async () => {
    const desk = createClientDesk(admitting())
    expect(await desk.handlers.admit(AUTH, PEER)).toBe(ada)
    const joined = desk.handlers.onJoin(ada)
    desk.open(first, handlersOf(first))
    expect((await joined).run).toBe(first)
  })

  it('should let nobody in while a run is being opened', async () => {
    const desk = createClientDesk(admitting())
    desk.expectRun()
    let isIn = false
    const admitted = desk.handlers.admit(AUTH, PEER).then(() => (isIn = true))
    await new Promise(setImmediate)
    expect(isIn).toBe(false)
    desk.close()
    await admitted
  })

  it('should hold the join of a client that is through with the run until there is another', async () => {
    const desk = createClientDesk(admitting())
    desk.open(first, handlersOf(first))
    const joined = desk.handlers.onJoin(ada, first)
    desk.close()
    desk.open(second, handlersOf(second))
    expect((await joined).run).toBe(second)
  })

  it('should refuse a join that has waited too long, with a code that means to ask again', async () => {
    const desk = createClientDesk(admitting(), 1)
    await expect(desk.handlers.onJoin(ada)).rejects.toMatchObject({ code: 'GRAFT_NO_RUN' })
  })

  it('should not take a client for ready in another run than it has joined', async () => {
    const ready: string[] = []
    const desk = createClientDesk(admitting())
    desk.open(first, handlersOf(first, ready))
    await desk.handlers.onJoin(ada)
    await desk.handlers.onReady(ada, READY)
    desk.close()
    desk.open(second, handlersOf(second, ready))
    await expect(desk.handlers.onReady(ada, READY)).rejects.toMatchObject({ code: 'GRAFT_NO_RUN' })
    expect(ready).toEqual([first])
  })

  it('should take no update while no run goes on, and end all waiting with the process', async () => {
    const desk = createClientDesk(admitting())
    const begin = announce(Uint8Array.of(1))
    expect(() => desk.handlers.checkUpdate(ada, begin)).toThrow(/GRAFT_ROUND_STALE/)
    const joined = desk.handlers.onJoin(ada)
    desk.end()
    await expect(joined).rejects.toMatchObject({ code: 'GRAFT_SERVER_UNREACHABLE' })
  })
})

// Helpers

/** A store that knows one token. */
function admitting(): Store {
  return {
    findToken: async () => ({ id: 'token', kind: 'join', clientId: null, label: 'test' }),
    listBans: async () => [],
    admitClient: async () => undefined,
    audit: async () => undefined,
  } as unknown as Store
}

function handlersOf(run: RunId, ready: string[] = []): GatewayHandlers {
  return {
    onJoin: async (clientId: ClientId) => ({ run, clientId, settings: SETTINGS }),
    onReady: async () => void ready.push(run),
  } as unknown as GatewayHandlers
}
