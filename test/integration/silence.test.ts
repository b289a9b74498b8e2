import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { RunJoined } from '../../shared/protocol/messages.ts'
import { deferred } from '../support/deferred.ts'
import { startTestGateway } from '../support/test-gateway.ts'

/** Far below the time between two pings: a coordinator that is asked nothing is silent. */
const silenceMs = 500

describe('a client of several coordinators', () => {
  it('should leave one that is silent for another that leads', async () => {
    const left = deferred<string>()
    await using silent = await startTestGateway({ onLeft: left.resolve })
    await using other = await startOther(200)
    const connection = silent.connect({ servers: [silent.gateway.url, other.url], silenceMs })
    await connection.request('run:join', {}, RunJoined)
    expect(await left.promise).toBe('client-0')
    expect(await other.knocked).toContain('/socket.io/')
    expect(connection.over.aborted).toBe(false)
  })

  it('should stay while the others do not lead, or this one says something', async () => {
    const left: string[] = []
    const onLeft = (client: string) => void left.push(client)
    await using silent = await startTestGateway({ onLeft })
    await using busy = await startTestGateway({ onLeft })
    await using standby = await startOther(503)
    await using rival = await startOther(200)
    const patient = silent.connect({ servers: [silent.gateway.url, standby.url], silenceMs })
    const served = busy.connect({ servers: [busy.gateway.url, rival.url], silenceMs })
    await patient.request('run:join', {}, RunJoined)
    // Twice: so the first answer was heard.
    while (standby.asked() < 2) {
      await served.request('run:join', {}, RunJoined)
      await delay(50)
    }
    expect(rival.asked()).toBe(0)
    expect(left).toEqual([])
  })
})

// Helpers

/** A coordinator of which only `/readyz` works, and says `status`. */
async function startOther(status: number) {
  const knocked = deferred<string>()
  let asked = 0
  const server = createServer((request, response) => {
    if (request.url === '/readyz') asked++
    response.writeHead(status).end()
  })
  server.on('upgrade', ({ url }, socket) => {
    knocked.resolve(url ?? '')
    socket.destroy()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: () => asked,
    /** Where a client tried to connect to it. */
    knocked: knocked.promise,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
