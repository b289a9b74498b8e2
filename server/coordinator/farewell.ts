import type { ClientId } from '../../shared/ids.ts'
import type { RunFinished } from '../../shared/protocol/messages.ts'
import type { Gateway } from '../gateway/gateway.ts'
import type { Session } from './session.ts'

/**
 * Tells all clients that the run is finished, also those of its rounds that are away just now: a client
 * that is between two attempts to reconnect would else look for a coordinator that has ended.
 *
 * @param seconds how long to wait for those who are away
 */
export async function sayFarewell(
  { members, ready, arrivals }: Session,
  gateway: Pick<Gateway, 'finished'>,
  message: RunFinished,
  { seconds, signal }: { seconds: number; signal: AbortSignal },
): Promise<void> {
  gateway.finished(message)
  const away = new Set([...members].filter((client) => !ready.has(client)))
  if (away.size === 0 || signal.aborted) return
  await new Promise<void>((resolve) => {
    const end = () => {
      clearTimeout(timer)
      arrivals.off('ready', greet)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const greet = (client: ClientId) => {
      // Who has heard it before has left, or does not mind.
      gateway.finished(message)
      away.delete(client)
      if (away.size === 0) end()
    }
    const timer = setTimeout(end, seconds * 1000)
    arrivals.on('ready', greet)
    signal.addEventListener('abort', end, { once: true })
  })
}
