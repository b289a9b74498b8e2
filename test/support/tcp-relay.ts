import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** A wire that can be cut: relays TCP to `target` and counts the bytes sent towards it. */
export async function startTcpRelay(target: string) {
  const { hostname, port } = new URL(target)
  const wires = new Set<Socket>()
  let sentBytes = 0
  /** Cuts every wire once so many bytes went through, one element a cut. */
  const cutAfter: number[] = []

  const server = createServer((near) => {
    const far = connect(Number(port), hostname)
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      wires.add(from)
      from.on('error', () => undefined)
      from.on('close', () => {
        wires.delete(from)
        to.destroy()
      })
      from.pipe(to)
    }
    near.on('data', (bytes) => {
      sentBytes += bytes.length
      const next = cutAfter[0]
      if (next === undefined || sentBytes < next) return
      cutAfter.shift()
      cut()
    })
  })

  function cut(): void {
    for (const wire of wires) wire.destroy()
  }

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut,
    cutAfter,
    sentBytes: () => sentBytes,
    async [Symbol.asyncDispose]() {
      cut()
      server.close()
      await once(server, 'close')
    },
  }
}
