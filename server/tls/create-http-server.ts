import { createServer, type RequestListener, type Server as HttpServer } from 'node:http'
import { createServer as createSecureServer, type Server as HttpsServer } from 'node:https'
import type { Socket } from 'node:net'
import type { TlsContext } from './tls-context.ts'

/**
 * Longer than proxies and browsers keep a connection that nothing is asked on, which is a minute and more: who closes first
 * is never asked on what it has closed.
 */
const KEPT = { keepAliveTimeout: 72_000 }

/**
 * The server of a coordinator, with TLS where a context is given. It does not listen yet.
 *
 * Where certificates are asked of clients, the lack of one ends no connection here: the gateway refuses such a client and
 * tells it why, and an operator's browser, which has a token, needs none.
 */
export function createHttpServer(
  listener: RequestListener,
  tls: TlsContext | null,
): HttpServer | HttpsServer {
  if (tls === null) return createServer(KEPT, listener)
  const server = createSecureServer(
    {
      ...KEPT,
      ...tls.secure,
      ...(tls.asksClients && { requestCert: true, rejectUnauthorized: false }),
    },
    listener,
  )
  answerPlainHttp(server)
  return server
}

/** First byte of every TLS connection: a handshake record, RFC 8446 section 5.1. */
const TLS_HANDSHAKE = 0x16

/** A connection that says nothing for so long is closed. */
const GREETING_MS = 45_000

const PLAIN_ANSWER = 'This coordinator speaks TLS: begin its address with https://.\n'

/**
 * Tells those who speak HTTP without TLS to this port what to do, where the server alone would just hang up. The first
 * byte says which of the two a connection is; what was read is put back.
 */
function answerPlainHttp(server: HttpsServer): void {
  const greet = server.listeners('connection') as ((socket: Socket) => void)[]
  server.removeAllListeners('connection')
  server.on('connection', (socket: Socket) => {
    const hangUp = () => void socket.destroy()
    socket.setTimeout(GREETING_MS, hangUp)
    socket.on('error', hangUp)
    socket.once('data', (first: Buffer) => {
      socket.setTimeout(0)
      socket.off('timeout', hangUp)
      if (first[0] !== TLS_HANDSHAKE) {
        socket.end(plainAnswer())
        return
      }
      socket.off('error', hangUp)
      socket.pause()
      socket.unshift(first)
      for (const listener of greet) listener.call(server, socket)
    })
  })
}

function plainAnswer(): string {
  const head = [
    'HTTP/1.1 426 Upgrade Required',
    'Upgrade: TLS/1.2, HTTP/1.1',
    'Connection: close',
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(PLAIN_ANSWER)}`,
  ]
  return `${head.join('\r\n')}\r\n\r\n${PLAIN_ANSWER}`
}
