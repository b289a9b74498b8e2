import { X509Certificate } from 'node:crypto'
import { unwatchFile, watchFile } from 'node:fs'
import { createServer, type Server as HttpServer } from 'node:http'
import { createServer as createSecureServer, type Server as HttpsServer } from 'node:https'
import type { Socket } from 'node:net'
import type { SecureContextOptions } from 'node:tls'
import { type GraftError, toGraftError } from '../../shared/errors.ts'
import { lifetimeOf, readCertificates, readKeyPair } from '../../shared/tls/certificate-file.ts'

/** Files with which a coordinator serves TLS. */
export interface TlsFiles {
  readonly cert: string
  readonly key: string
  /** Authority of the certificates that clients must have; without, they need none. */
  readonly clientCa?: string | undefined
}

export interface HttpServerOptions {
  /** Without TLS when it is not given. */
  readonly tls?: TlsFiles | undefined
  /** Told of renewed certificates, and of those that cannot be taken: the ones before stay. */
  readonly onRenewal?: (renewal: { until: Date } | { error: GraftError }) => void
  /** Milliseconds between two looks at the files. @default 5000 */
  readonly lookEveryMs?: number
}

/** A server that answers nothing yet; whoever stands on it adds listeners, and the caller makes it listen. */
export interface CoordinatorServer {
  readonly http: HttpServer | HttpsServer
  readonly isSecure: boolean
  /** When its certificate expires; null without TLS. */
  readonly validUntil: Date | null
  /** Stops looking at the files. */
  readonly close: () => void
}

/**
 * The one server of a coordinator, with TLS 1.2 or newer where certificates are given. Renewed files are picked up while it
 * runs; connections that are open stay as they are.
 *
 * With `clientCa` a certificate is asked for, but its lack ends no connection here: the gateway refuses such a client and
 * tells it why, and an operator's browser needs none.
 *
 * @throws GraftError GRAFT_FILE_UNREADABLE, GRAFT_CERTIFICATE_INVALID
 */
export async function createHttpServer(
  options: HttpServerOptions = {},
): Promise<CoordinatorServer> {
  const { tls, onRenewal, lookEveryMs = 5_000 } = options
  if (tls === undefined) {
    return { http: createServer(), isSecure: false, validUntil: null, close: () => undefined }
  }
  const context = await readContext(tls)
  const http = createSecureServer({
    ...context,
    ...(tls.clientCa !== undefined && { requestCert: true, rejectUnauthorized: false }),
  })
  answerPlainHttp(http)

  const files = [tls.cert, tls.key, ...(tls.clientCa === undefined ? [] : [tls.clientCa])]
  const renew = () => {
    readContext(tls).then(
      (renewed) => {
        http.setSecureContext(renewed)
        onRenewal?.({ until: untilOf(renewed) })
      },
      // As between the writing of the key and of its certificate: the next look finds both.
      (error: unknown) => onRenewal?.({ error: toGraftError(error) }),
    )
  }
  // By looking again and again: links and folders that are exchanged as a whole are noticed, too.
  const look = { interval: lookEveryMs, persistent: false }
  for (const file of files) watchFile(file, look, renew)
  return {
    http,
    isSecure: true,
    validUntil: untilOf(context),
    close: () => {
      for (const file of files) unwatchFile(file, renew)
    },
  }
}

async function readContext({ cert, key, clientCa }: TlsFiles) {
  const pair = await readKeyPair(cert, key)
  const ca = clientCa === undefined ? [] : await readCertificates(clientCa)
  return {
    minVersion: 'TLSv1.2',
    ...pair,
    ...(clientCa !== undefined && { ca: ca.map((each) => each.toString()) }),
  } as const satisfies SecureContextOptions
}

function untilOf({ cert }: { readonly cert: string }): Date {
  return lifetimeOf(new X509Certificate(cert)).until
}

/** First byte of every TLS connection: a handshake record, RFC 8446 section 5.1. */
const TLS_HANDSHAKE = 0x16

const PLAIN_ANSWER = 'This coordinator speaks TLS: begin its address with https://.\n'

/**
 * Tells those who speak HTTP without TLS to this port what to do, where the server alone would just hang up. The first
 * byte says which of the two a connection is; it is put back.
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
      if (first[0] === TLS_HANDSHAKE) {
        socket.off('error', hangUp)
        socket.pause()
        socket.unshift(first)
        for (const listener of greet) listener.call(server, socket)
        return
      }
      socket.end(
        [
          'HTTP/1.1 426 Upgrade Required',
          'Upgrade: TLS/1.2, HTTP/1.1',
          'Connection: close',
          'Content-Type: text/plain; charset=utf-8',
          `Content-Length: ${Buffer.byteLength(PLAIN_ANSWER)}`,
          '',
          PLAIN_ANSWER,
        ].join('\r\n'),
      )
    })
  })
}

/** A connection that says nothing for so long is closed. */
const GREETING_MS = 45_000
