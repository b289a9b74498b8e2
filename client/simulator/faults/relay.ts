import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** A network between a client and the coordinator that can be made to fail. Bytes are those towards the coordinator. */
export interface Relay {
  /** What the client connects to. */
  readonly url: string
  /** Breaks all connections, and takes none for so many seconds. */
  cut(seconds: number): void
  /** From now on, after so many bytes, does this once; what is armed already stays. */
  after(bytes: number, spoil: Spoil): void
  /** Forgets what has not happened yet. */
  disarm(): void
  close(): void
}

export type Spoil =
  | { readonly type: 'cut'; readonly seconds: number; readonly onDone: () => void }
  | { readonly type: 'flip'; readonly onDone: () => void }

/** @param target address of the coordinator, http */
export async function startRelay(target: string): Promise<Relay> {
  const { hostname, port } = new URL(target)
  const wires = new Set<Socket>()
  let sent = 0
  let armed: { readonly at: number; readonly spoil: Spoil }[] = []
  let deadUntil = 0

  const server = createServer((near) => {
    near.on('error', () => undefined)
    if (performance.now() < deadUntil) {
      near.destroy()
      return
    }
    const far = connect(Number(port), hostname)
    for (const wire of [near, far]) {
      wires.add(wire)
      wire.setNoDelay(true)
      wire.on('error', () => undefined)
      wire.on('close', () => {
        wires.delete(wire)
        near.destroy()
        far.destroy()
      })
    }
    far.pipe(near)
    near.on('data', (bytes) => {
      if (forward(bytes, far)) return
      near.pause()
      far.once('drain', () => near.resume())
    })
    near.on('end', () => far.end())
  })

  /** @returns false when `far` has enough for now */
  function forward(bytes: Buffer, far: Socket): boolean {
    for (;;) {
      const [next] = armed
      if (next === undefined || next.at >= sent + bytes.length) break
      armed = armed.slice(1)
      const place = next.at - sent
      if (next.spoil.type === 'flip') {
        bytes[place]! ^= 1
        next.spoil.onDone()
        continue
      }
      // What is before the byte may arrive, nothing behind it does.
      far.end(bytes.subarray(0, place))
      sent += place
      cut(next.spoil.seconds)
      next.spoil.onDone()
      return true
    }
    sent += bytes.length
    return far.write(bytes)
  }

  function cut(seconds: number): void {
    deadUntil = performance.now() + seconds * 1000
    for (const wire of wires) if (!wire.writableEnded) wire.destroy()
  }

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut,
    after(bytes, spoil) {
      armed = [...armed, { at: sent + bytes, spoil }].sort((a, b) => a.at - b.at)
    },
    disarm() {
      armed = []
    },
    close() {
      for (const wire of wires) wire.destroy()
      server.close()
    },
  }
}
