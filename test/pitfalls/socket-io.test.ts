// Characterisation tests: surprises of socket.io 4.8 and msgpackr 2.1 that the protocol works around.
// When one fails after an upgrade, the workaround can go.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Server, type ServerOptions } from 'socket.io'
import { io as connect, type Socket } from 'socket.io-client'
import { describe, expect, it } from 'vitest'
import { Packr } from '../../shared/protocol/pure-packr.ts'

describe('socket.io with its own parser', () => {
  it('drops the connection, without a message, at the 11th binary attachment', async () => {
    const pieces = (n: number) => Array.from({ length: n }, () => new Uint8Array(4))
    expect(await send(pieces(10))).toBe('ack')
    expect(await send(pieces(11))).toBe('transport close')
  })
})

describe('socket.io', () => {
  it('drops the connection, without a message, above maxHttpBufferSize', async () => {
    expect(await send(new Uint8Array(900_000))).toBe('ack')
    expect(await send(new Uint8Array(1_100_000))).toBe('transport close')
    expect(await send(new Uint8Array(1_100_000), { maxHttpBufferSize: 2e6 })).toBe('ack')
  })

  it('does not reconnect by itself after a refusal of the handshake', async () => {
    await using server = await startServer()
    server.io.use((_socket, next) => next(new Error('no')))
    const client = server.connect({ reconnection: true })
    await once(client as never, 'connect_error')
    expect(client.active).toBe(false)
  })

  it('discards what was not yet sent when the server closes', async () => {
    await using server = await startServer()
    const client = server.connect({})
    const heard: number[] = []
    client.on('news', (n: number) => heard.push(n))
    await once(client as never, 'connect')
    for (let n = 0; n < 500; n++) server.io.emit('news', n)
    await server.io.close()
    await once(client as never, 'disconnect')
    expect(heard.length).toBeLessThan(500)
  })
})

describe('msgpackr', () => {
  it('reads a record that a message defines, though useRecords is off', () => {
    // ext 0x72: record 0x40 with the one key "a", then its values.
    const message = Uint8Array.from([0xd4, 0x72, 0x40, 0x91, 0xa1, 0x61, 0x01])
    expect(new Packr({ useRecords: false }).unpack(message)).toEqual({ a: 1 })
  })

  it('builds a cyclic value from a message, unless structuredClone is off', () => {
    // ext 0x69 names a list, ext 0x70 inside of it points back at it.
    const message = Uint8Array.from([
      ...[0xd6, 0x69, 0, 0, 0, 1, 0x91],
      ...[0xd6, 0x70, 0, 0, 0, 1],
    ])
    const list = new Packr({}).unpack(message) as unknown[]
    expect(list[0]).toBe(list)
    expect(() => new Packr({ structuredClone: false }).unpack(message) as unknown).toThrow(
      'disabled',
    )
  })
})

// Helpers

async function startServer(options: Partial<ServerOptions> = {}) {
  const http = createServer()
  const io = new Server(http, options)
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const { port } = http.address() as AddressInfo
  const clients: Socket[] = []
  return {
    io,
    connect({ reconnection = false }: { reconnection?: boolean }): Socket {
      const client = connect(`http://127.0.0.1:${port}`, {
        transports: ['websocket'],
        reconnection,
        forceNew: true,
      })
      clients.push(client)
      return client
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.disconnect()
      await io.close()
    },
  }
}

async function send(payload: unknown, options: Partial<ServerOptions> = {}): Promise<string> {
  await using server = await startServer(options)
  server.io.on('connection', (socket) =>
    socket.on('update', (_payload: unknown, ack: (text: string) => void) => ack('ack')),
  )
  const client = server.connect({})
  await once(client as never, 'connect')
  const dropped = new Promise<string>((resolve) => client.once('disconnect', resolve))
  return await Promise.race([client.emitWithAck('update', payload) as Promise<string>, dropped])
}
