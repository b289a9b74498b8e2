import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, resolve } from 'node:path'
import { Server } from 'socket.io'
import { msgpackParser } from '../../shared/protocol/msgpack-parser.ts'
import { comesAfter } from '../../shared/protocol/operator/event-order.ts'
import type { OperatorNews } from '../../shared/protocol/operator/live.ts'
import type { Role } from '../../shared/protocol/operator/role.ts'
import { createAnswers } from './console/answers.ts'
import { createLiveWorld, type LiveWorld } from './console/live-world.ts'
import { createWorld, type World, type WorldShape } from './console/world.ts'

export interface ConsoleOptions extends WorldShape {
  readonly role?: Role
  /** Whether clients go on while the page is looked at: all of them, once a second. */
  readonly isMoving?: boolean
  /** Whether who comes is signed in already. */
  readonly isSignedIn?: boolean
}

/** A console on a real port, of made-up numbers; what stands behind it is no coordinator. */
export interface ConsoleServer extends AsyncDisposable {
  readonly url: string
  readonly world: World
  readonly live: LiveWorld
  /** What was asked for that changes something: method, path and body. */
  readonly wishes: readonly { readonly path: string; readonly body: unknown }[]
  /** Moves each client once and says so. */
  move(): void
  /** Ends every live connection and lets nobody in until `resume`. */
  cut(): void
  resume(): void
}

/** What a coordinator serves at `/`; `npm run build:console` writes it. */
export const PAGES = resolve('dist/dashboard')

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
}

/** As a coordinator's: nothing from elsewhere, no code in the page. */
const POLICY =
  "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"

export async function startConsoleServer(options: ConsoleOptions): Promise<ConsoleServer> {
  if (!existsSync(join(PAGES, 'index.html')))
    throw new Error('There is no console yet: npm run build:console.')
  const world = createWorld(options)
  const live = createLiveWorld(world)
  const answers = createAnswers(world, live, {
    role: options.role ?? 'admin',
    isSignedIn: options.isSignedIn ?? true,
  })
  const server = createServer((request, response) => {
    void answer(request, response).catch((error: unknown) => {
      response.writeHead(500).end(String(error))
    })
  })
  let isCut = false
  const io = new Server<Record<string, never>, OperatorNews>(server, {
    parser: msgpackParser,
    allowRequest: (_, answerWith) => answerWith(null, !isCut),
  })
  const feed = io.of('/operator')
  feed.on('connection', (socket) => {
    socket.emit('federation:changed', { federation: live.federation() })
    const round = live.federation().round?.round
    if (round !== undefined) socket.emit('lanes:changed', { round, lanes: live.lanes() })
    const { after } = socket.handshake.auth as { after?: string }
    if (after === undefined) return
    for (const event of live.events())
      if (comesAfter(event.id, after)) socket.emit('event:appended', { event })
  })
  answers.onChanged((resource) => {
    feed.emit('federation:changed', { federation: live.federation() })
    feed.emit('resource:changed', { resource })
  })

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://console')
    if (url.pathname.startsWith('/api/v1')) {
      const { status, body, type } = answers.answer(
        request.method ?? 'GET',
        url,
        await bodyOf(request),
      )
      response.writeHead(status, { 'content-type': type })
      response.end(body === undefined ? undefined : JSON.stringify(body))
      return
    }
    const file = join(PAGES, url.pathname)
    const isFile = extname(url.pathname) !== '' && existsSync(file)
    response.writeHead(200, {
      'content-type': TYPES[isFile ? extname(file) : '.html'] ?? 'application/octet-stream',
      'content-security-policy': POLICY,
    })
    response.end(await readFile(isFile ? file : join(PAGES, 'index.html')))
  }

  function move(): void {
    const { lanes, events } = live.tick()
    const { round } = live.federation()
    if (round !== null && lanes.length > 0)
      feed.emit('lanes:changed', { round: round.round, lanes })
    for (const event of events) feed.emit('event:appended', { event })
    feed.emit('federation:changed', { federation: live.federation() })
  }
  const timer = options.isMoving === true ? setInterval(move, 1000) : undefined

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ...{ world, live, move, wishes: answers.wishes },
    cut: () => {
      isCut = true
      // As when the process dies: without a farewell.
      for (const { conn } of feed.sockets.values()) conn.close()
    },
    resume: () => {
      isCut = false
    },
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer)
      await io.close()
    },
  }
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  const text = Buffer.concat(parts).toString()
  return text === '' ? undefined : JSON.parse(text)
}
