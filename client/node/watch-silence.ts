import { get } from 'node:http'
import { get as getSecurely } from 'node:https'
import { type ClientTls, tlsOptions } from './client-tls.ts'

/** How often the silence is measured, and others are asked while it lasts. */
const LOOK_MS = 2_000
/** Longest wait for an address that may be on a machine that is gone. */
const PATIENCE_MS = 3_000

export interface SilenceOptions {
  /** Addresses of all coordinators; with one alone there is nothing to watch. */
  readonly servers: readonly string[]
  readonly tls: ClientTls | undefined
  /** Place in `servers` of the one that this client is connected to; null while it is to none. */
  readonly current: () => number | null
  /** Milliseconds without a word after which a coordinator may hang; more than it lets pass between two pings. */
  readonly silenceMs: number
  /** Another coordinator leads, `servers[place]`, and the present one is as silent as before. */
  readonly onLeft: (place: number) => void
}

export interface SilenceWatch {
  /** Something came from the coordinator. */
  readonly heard: () => void
  readonly stop: () => void
}

/**
 * Notices that a coordinator hangs while its connection stays open, and that another one leads in its place, long before
 * the pings of socket.io say so: those have the patience that training clients need. A coordinator that is silent is left
 * for one that answers, and for no other reason.
 */
export function watchSilence({ servers, tls, current, ...options }: SilenceOptions): SilenceWatch {
  let lastWord = performance.now()
  let isAsking = false
  const isSilent = (place: number): boolean =>
    current() === place && performance.now() - lastWord > options.silenceMs

  async function look(): Promise<void> {
    const place = current()
    if (isAsking || place === null || !isSilent(place)) return
    isAsking = true
    try {
      const others = servers.map((_, other) => other).filter((other) => other !== place)
      const answers = await Promise.all(others.map((other) => leads(servers[other]!, tls)))
      const leader = others.find((_, i) => answers[i])
      // A client that was busy itself has read meanwhile what had come.
      if (leader !== undefined && isSilent(place)) options.onLeft(leader)
    } finally {
      isAsking = false
    }
  }

  const timer = servers.length > 1 ? setInterval(() => void look(), LOOK_MS).unref() : undefined
  return {
    heard() {
      lastWord = performance.now()
    },
    stop: () => clearInterval(timer),
  }
}

/** Whether a coordinator says that it leads and can work. */
async function leads(server: string, tls: ClientTls | undefined): Promise<boolean> {
  const url = new URL('/readyz', server)
  const signal = AbortSignal.timeout(PATIENCE_MS)
  return new Promise((resolve) => {
    const request =
      url.protocol === 'https:'
        ? getSecurely(url, { ...tlsOptions(tls), signal, agent: false })
        : get(url, { signal, agent: false })
    request.on('response', (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    })
    request.on('error', () => resolve(false))
  })
}
