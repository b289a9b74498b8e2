import { isIP } from 'node:net'
import { GraftError } from '../../shared/errors.ts'

/**
 * Tokens and weights travel unencrypted, so beyond this machine they need a word from the operator.
 *
 * @throws GraftError GRAFT_INSECURE_LISTEN when `host` is not loopback and `insecure` is false
 */
export function assertMayListen(host: string, insecure: boolean): void {
  if (insecure || isLoopback(host)) return
  throw new GraftError(
    'GRAFT_INSECURE_LISTEN',
    `Listening on ${host || 'every address'} without TLS shows tokens and weights to the network.`,
  )
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}
