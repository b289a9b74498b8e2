import { once } from 'node:events'
import type { RequestListener, Server } from 'node:http'
import { Server as SecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { GraftError } from '../shared/errors.ts'
import { createHttpServer } from './tls/create-http-server.ts'
import type { TlsContext } from './tls/tls-context.ts'

/** Where a coordinator listens. */
export interface ListenPlace {
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
}

/** The one HTTP server of a process; clients, operators and their console share it. */
export interface HttpHost {
  readonly server: Server | SecureServer
  /** Answers what is not for sockets, from now on. @default 404 */
  readonly answerWith: (listener: RequestListener) => void
  /** @returns its address, as in `http://127.0.0.1:7433` or `https://[::1]:7433` */
  readonly listen: () => Promise<string>
}

/**
 * Makes the server; it does not listen yet, so that everything that stands on it is there with the first connection.
 *
 * Its request listener can be exchanged, as socket.io takes over the listeners that it finds and calls those that
 * come later for its own requests, too.
 *
 * @param tls without TLS when it is null
 */
export function createHttpHost(place: ListenPlace, tls: TlsContext | null = null): HttpHost {
  let answer: RequestListener = (_request, response) => response.writeHead(404).end()
  const server = createHttpServer((request, response) => {
    answer(request, response)
  }, tls)
  return {
    server,
    answerWith: (listener) => {
      answer = listener
    },
    listen: () => listen(server, place),
  }
}

/** @throws GraftError GRAFT_PORT_BUSY, GRAFT_OPTION_INVALID when `host` is no address of this machine */
async function listen(server: Server | SecureServer, { host, port }: ListenPlace): Promise<string> {
  server.listen(port, host)
  try {
    await once(server, 'listening')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EADDRINUSE' || code === 'EACCES') {
      throw new GraftError('GRAFT_PORT_BUSY', `Port ${port} of ${host} is taken.`, { cause: error })
    }
    const problem = `Cannot listen on ${host}: it is no address of this machine.`
    throw new GraftError('GRAFT_OPTION_INVALID', problem, { cause: error })
  }
  return urlOf(server)
}

function urlOf(server: Server | SecureServer): string {
  const { address, port, family } = server.address() as AddressInfo
  const scheme = server instanceof SecureServer ? 'https' : 'http'
  return `${scheme}://${family === 'IPv6' ? `[${address}]` : address}:${port}`
}
