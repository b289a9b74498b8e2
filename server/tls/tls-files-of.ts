import { GraftError } from '../../shared/errors.ts'
import type { TlsFiles } from './tls-context.ts'

/**
 * What `--tls-cert`, `--tls-key` and `--tls-client-ca` name; null without them.
 *
 * @throws GraftError GRAFT_OPTION_INVALID when one is missing beside another
 */
export function tlsFilesOf({
  cert,
  key,
  clientCa,
}: Record<keyof TlsFiles, string | undefined>): TlsFiles | null {
  if (cert !== undefined && key !== undefined) return { cert, key, clientCa }
  const [given] = Object.entries({
    '--tls-cert': cert,
    '--tls-key': key,
    '--tls-client-ca': clientCa,
  })
    .filter(([, file]) => file !== undefined)
    .map(([option]) => option)
  if (given === undefined) return null
  const missing = cert === undefined ? '--tls-cert' : '--tls-key'
  throw new GraftError('GRAFT_OPTION_INVALID', `${missing} is missing: ${given} needs it.`)
}
