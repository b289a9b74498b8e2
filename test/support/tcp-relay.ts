import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** How fast a wire is; without, as fast as it can. */
export interface Pace {
  readonly bytesPerSecond: number
  /** Added to the way of every piece. */
  readonly delayMs: number
}

/** A wire that can be cut and slowed down: relays TCP to `target` and counts the bytes sent towards it. */
export async function startTcpRelay(target: string) {
  const { hostname, port } = new URL(target)
  const wires = new Set<Socket>()
  let sentBytes = 0
  let pace: Pace | null = null
  let deadUntil = 0
  /** Cuts every wire once so many bytes went through, one element a cut. */
  const cutAfter: number[] = []
  const listeners: ((bytes: number) => void)[] = []

  const server = createServer((near) => {
    if (performance.now() < deadUntil) {
      near.on('error', () => undefined)
      near.destroy()
      return
    }
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
      from.on('end', () => to.end())
      from.on('data', (bytes) => {
        forward(bytes, from, to)
      })
    }
    near.on('data', (bytes) => {
      sentBytes += bytes.length
      for (const listener of listeners) listener(bytes.length)
      const next = cutAfter[0]
      if (next === undefined || sentBytes < next) return
      cutAfter.shift()
      cut()
    })
  })

  function forward(bytes: Buffer, from: Socket, to: Socket): void {
    if (pace === null) {
      if (to.destroyed || to.write(bytes)) return
      from.pause()
      to.once('drain', () => from.resume())
      return
    }
    from.pause()
    const ms = pace.delayMs + (bytes.length / pace.bytesPerSecond) * 1000
    setTimeout(() => {
      if (!to.destroyed) to.write(bytes)
      from.resume()
    }, ms)
  }

  function cut(downMs = 0): void {
    deadUntil = performance.now() + downMs
    for (const wire of wires) wire.destroy()
  }

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** Breaks all connections, and takes none for so long. */
    cut,
    cutAfter,
    /** Of what is relayed from now on. */
    setPace(next: Pace | null) {
      pace = next
    },
    /** Told of bytes towards the target, when they have been passed on or are on their way. */
    onBytes(listener: (bytes: number) => void) {
      listeners.push(listener)
    },
    sentBytes: () => sentBytes,
    async [Symbol.asyncDispose]() {
      cut()
      server.close()
      await once(server, 'close')
    },
  }
}
