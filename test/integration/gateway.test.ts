import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { io, type Socket } from 'socket.io-client'
import { describe, expect, it } from 'vitest'
import { pushUpdate } from '../../client/node/transfer.ts'
import { startGateway } from '../../server/gateway/start-gateway.ts'
import { GraftError } from '../../shared/errors.ts'
import {
  Done,
  MAX_MESSAGE_BYTES,
  MAX_PENDING_MESSAGES,
  PROTOCOL_VERSION,
  RunJoined,
  UploadOffset,
} from '../../shared/protocol/messages.ts'
import { msgpackParser } from '../../shared/protocol/msgpack-parser.ts'
import { deferred } from '../support/deferred.ts'
import {
  announce,
  AUTH,
  clientId,
  COMMIT,
  noise,
  overOf,
  round,
  RUN,
  startTestGateway,
} from '../support/test-gateway.ts'

describe('gateway handshake', () => {
  it('should tell an admitted client which run it belongs to', async () => {
    await using server = await startTestGateway()
    const joined = await server.connect().request('run:join', {}, RunJoined)
    expect(joined).toMatchObject({ run: RUN, clientId: 'client-0', settings: { seed: 7 } })
    expect(server.gateway.connected()).toEqual(['client-0'])
  })

  it('should refuse another protocol version, whatever else that one says', async () => {
    await using server = await startTestGateway()
    const socket = rawClient(server.gateway.url, { protocol: 99, novelty: true })
    const refusal = await refusalOf(socket)
    expect(refusal).toMatchObject({ ok: false, code: 'GRAFT_PROTOCOL_VERSION' })
    expect(refusal.message).toContain('99')
  })

  it('should refuse a handshake with unknown fields', async () => {
    await using server = await startTestGateway()
    const auth = { ...AUTH, protocol: PROTOCOL_VERSION, admin: true }
    const refusal = await refusalOf(rawClient(server.gateway.url, auth))
    expect(refusal).toMatchObject({ code: 'GRAFT_MESSAGE_INVALID' })
    expect(refusal.message).toContain('admin')
  })

  it('should end a client whose token is refused, with the code and the remedy once', async () => {
    await using server = await startTestGateway({
      admit: async () => {
        throw new GraftError('GRAFT_TOKEN_INVALID', 'This token was revoked.')
      },
    })
    const reason = await overOf(server.connect())
    expect(reason).toMatchObject({ code: 'GRAFT_TOKEN_INVALID' })
    expect(reason.message.match(/Ask the operator/g)).toHaveLength(1)
  })

  it('should keep trying while the coordinator has no database', async () => {
    let attempts = 0
    await using server = await startTestGateway({
      admit: async () => {
        if (++attempts < 3) throw new GraftError('GRAFT_DATABASE_UNAVAILABLE', 'Not yet.')
        return clientId('patient')
      },
    })
    const joined = await server.connect().request('run:join', {}, RunJoined)
    expect(joined.clientId).toBe('patient')
  })
})

describe('gateway connections', () => {
  it('should let the newer of two connections of one client win and tell the older one', async () => {
    await using server = await startTestGateway()
    const older = server.connect()
    await older.request('run:join', {}, RunJoined)
    const newer = server.connect()
    await newer.request('run:join', {}, RunJoined)

    expect(await overOf(older)).toMatchObject({ code: 'GRAFT_CLIENT_NAME_TAKEN' })
    expect(server.gateway.connected()).toEqual(['client-0'])
    expect(newer.over.aborted).toBe(false)
    expect(server.seen.left).toEqual([])
  })

  it('should tell the coordinator when a client leaves', async () => {
    const left = deferred<string>()
    await using server = await startTestGateway({ onLeft: left.resolve })
    const connection = server.connect()
    await connection.request('run:join', {}, RunJoined)
    connection.close()
    expect(await left.promise).toBe('client-0')
    expect(server.gateway.connected()).toEqual([])
  })

  it('should end a connection for the reason the coordinator gives', async () => {
    await using server = await startTestGateway()
    const connection = server.connect()
    await connection.request('run:join', {}, RunJoined)
    server.gateway.disconnect(clientId('client-0'))
    expect(await overOf(connection)).toMatchObject({ code: 'GRAFT_TOKEN_INVALID' })
  })

  it('should carry every announcement to the client it is for', async () => {
    await using server = await startTestGateway()
    const news = deferred<unknown>()
    const invited = server.connect({ onNews: (it) => it.type !== 'connected' && news.resolve(it) })
    const other: string[] = []
    const bystander = server.connect({
      auth: { ...AUTH, name: clientId('client-1') },
      onNews: ({ type }) => other.push(type),
    })
    await Promise.all([invited, bystander].map((it) => it.request('run:join', {}, RunJoined)))
    const model = server.offer(noise(10))
    const message = { run: RUN, round: round(1), model, deadlineSeconds: 5 }
    server.gateway.invite(clientId('client-0'), message)
    expect(await news.promise).toEqual({ type: 'round:invited', ...message })
    expect(other).toEqual(['connected'])
  })
})

describe('gateway shutdown', () => {
  it('should still deliver what was said last', async () => {
    await using server = await startTestGateway()
    const heard: string[] = []
    const connection = server.connect({ onNews: ({ type }) => heard.push(type), retrySeconds: 2 })
    await connection.request('run:join', {}, RunJoined)
    const model = server.offer(noise(10))
    for (let n = 0; n < 500; n++) {
      server.gateway.invite(clientId('client-0'), {
        run: RUN,
        round: round(1),
        model,
        deadlineSeconds: 5,
      })
    }
    server.gateway.finished({ run: RUN, rounds: 1 })
    await server.gateway.close()
    await overOf(connection)
    expect(heard).toHaveLength(503)
    expect(heard.slice(-2)).toEqual(['run:finished', 'coordinator:leaving'])
  })

  it('should not close before an update that is being stored is stored', async () => {
    const log: string[] = []
    let leave = () => {}
    const left = new Promise<void>((resolve) => (leave = resolve))
    let begin = () => {}
    const begun = new Promise<void>((resolve) => (begin = resolve))
    await using server = await startTestGateway({
      onLeft: () => leave(),
      onUpdate: async () => {
        begin()
        await left
        await delay(20)
        log.push('stored')
      },
    })
    const connection = server.connect()
    await connection.request('run:join', {}, RunJoined)
    const update = { round: round(1), bytes: noise(10), commit: () => COMMIT }
    const sent = pushUpdate(connection, update).catch(() => undefined)
    await begun
    await server.gateway.close()
    log.push('closed')
    connection.close()
    await sent
    expect(log).toEqual(['stored', 'closed'])
  })
})

describe('gateway messages', () => {
  it('should answer a malformed message with a code, the field and a remedy', async () => {
    await using server = await startTestGateway()
    const connection = server.connect()
    const begin = connection.request('update:begin', { round: -1 }, UploadOffset)
    await expect(begin).rejects.toMatchObject({
      code: 'GRAFT_MESSAGE_INVALID',
      message: expect.stringMatching(/round.*sizeBytes.*PROTOCOL\.md/),
    })
  })

  it('should answer a message it does not know', async () => {
    await using server = await startTestGateway()
    const connection = server.connect()
    const asked = connection.request('toString' as 'run:join', {}, Done)
    await expect(asked).rejects.toMatchObject({ code: 'GRAFT_MESSAGE_INVALID' })
  })

  it('should hide the coordinator’s own failures from the client and tell the operator', async () => {
    const faults: GraftError[] = []
    await using server = await startTestGateway(
      {
        onReady: async () => {
          throw new TypeError('x is undefined at /srv/graft')
        },
      },
      { onFault: (fault) => faults.push(fault) },
    )
    const ready = server
      .connect()
      .request('client:ready', { numExamples: 1, classCounts: [1] }, Done)
    await expect(ready).rejects.toMatchObject({
      code: 'GRAFT_INTERNAL',
      message: expect.not.stringContaining('/srv'),
    })
    expect(faults.map((fault) => fault.problem)).toEqual(['x is undefined at /srv/graft'])
  })

  it('should end a connection whose message asks for no answer where one is due', async () => {
    await using server = await startTestGateway()
    const socket = rawClient(server.gateway.url, { ...AUTH, protocol: PROTOCOL_VERSION })
    await once(socket as never, 'connect')
    const closed = once(socket as never, 'connection:closed')
    const disconnected = once(socket as never, 'disconnect')
    socket.emit('update:begin', announce(noise(3)))
    expect((await closed)[0]).toMatchObject({ code: 'GRAFT_MESSAGE_INVALID' })
    expect((await disconnected)[0]).toBe('io server disconnect')
  })

  it('should take any number of progress messages at once, and heed the newest', async () => {
    const told: number[] = []
    await using server = await startTestGateway({
      onProgress: (_, { done }) => void told.push(done),
    })
    const socket = rawClient(server.gateway.url, { ...AUTH, protocol: PROTOCOL_VERSION })
    await once(socket as never, 'connect')
    const count = 20 * MAX_PENDING_MESSAGES
    for (let index = 1; index <= count; index++) {
      socket.emit('client:progress', { round: 1, phase: 'training', done: index / count })
    }
    await expect(socket.emitWithAck('run:join', {})).resolves.toMatchObject({ ok: true })
    expect(told.at(-1)).toBe(1)
    expect(told).toEqual(told.toSorted((a, b) => a - b))
  })

  it('should end a connection that does not wait for its answers', async () => {
    await using server = await startTestGateway({ onReady: () => new Promise(() => undefined) })
    const connection = server.connect()
    await connection.request('run:join', {}, RunJoined)
    const ready = { numExamples: 1, classCounts: [1] }
    const asked = Array.from({ length: MAX_PENDING_MESSAGES + 1 }, () =>
      connection.request('client:ready', ready, Done),
    )
    await Promise.allSettled(asked)
    expect(await overOf(connection)).toMatchObject({ code: 'GRAFT_MESSAGE_INVALID' })
  })

  it.each([
    ['garbage bytes', Buffer.from([0xc1, 0xff, 0x00])],
    ['a text frame', 'not MessagePack'],
    ['a MessagePack value that is no packet', Buffer.from([0x93, 1, 2, 3])],
    ['a length far beyond the message', Buffer.from([0xdd, 0xff, 0xff, 0xff, 0xff])],
    ['an oversize message', Buffer.alloc(MAX_MESSAGE_BYTES + 1)],
  ])('should close the connection at %s and serve the others', async (_name, garbage) => {
    await using server = await startTestGateway()
    const socket = rawClient(server.gateway.url, { ...AUTH, protocol: PROTOCOL_VERSION })
    await once(socket as never, 'connect')
    const closed = once(socket as never, 'disconnect')
    socket.io.engine.write(garbage)
    expect((await closed)[0]).toBe('transport close')
    const joined = await server.connect().request('run:join', {}, RunJoined)
    expect(joined.run).toBe(RUN)
  })
})

describe('gateway port', () => {
  it('should name a port that is taken', async () => {
    await using server = await startTestGateway()
    const port = Number(new URL(server.gateway.url).port)
    const second = startGateway(server.handlers, {
      host: '127.0.0.1',
      port,
      uploadFolder: server.uploadFolder,
    })
    await expect(second).rejects.toMatchObject({
      code: 'GRAFT_PORT_BUSY',
      message: expect.stringContaining(String(port)),
    })
  })

  it('should name a host that is not this machine', async () => {
    await using server = await startTestGateway()
    const second = startGateway(server.handlers, {
      host: '203.0.113.1',
      port: 0,
      uploadFolder: server.uploadFolder,
    })
    await expect(second).rejects.toMatchObject({ code: 'GRAFT_OPTION_INVALID' })
  })
})

// Helpers

/** A client that says what it likes. */
function rawClient(url: string, auth: Record<string, unknown>): Socket {
  return io(url, {
    auth,
    parser: msgpackParser,
    transports: ['websocket'],
    reconnection: false,
    forceNew: true,
  })
}

function refusalOf(socket: Socket): Promise<{ code: string; message: string }> {
  return new Promise((resolve) => {
    socket.once('connect_error', (error: Error & { data?: unknown }) => {
      socket.disconnect()
      resolve(error.data as { code: string; message: string })
    })
  })
}
