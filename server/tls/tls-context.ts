import { X509Certificate } from 'node:crypto'
import type { SecureContextOptions } from 'node:tls'
import { lifetimeOf, readCertificates, readKeyPair } from '../../shared/tls/certificate-file.ts'

/** Files with which a coordinator serves TLS. */
export interface TlsFiles {
  readonly cert: string
  readonly key: string
  /** Authority of the certificates that clients must have; without it they need none. */
  readonly clientCa?: string | undefined
}

/** What those files say. */
export interface TlsContext {
  readonly files: TlsFiles
  readonly secure: SecureContextOptions
  readonly asksClients: boolean
  readonly certificate: X509Certificate
  readonly validUntil: Date
}

/**
 * Reads the files, for TLS 1.2 or newer.
 *
 * @throws GraftError GRAFT_FILE_UNREADABLE, GRAFT_CERTIFICATE_INVALID
 */
export async function readTlsContext(files: TlsFiles): Promise<TlsContext> {
  const pair = await readKeyPair(files.cert, files.key)
  const authorities = files.clientCa === undefined ? null : await readCertificates(files.clientCa)
  const certificate = new X509Certificate(pair.cert)
  return {
    files,
    secure: {
      minVersion: 'TLSv1.2',
      ...pair,
      ...(authorities && { ca: authorities.map((each) => each.toString()) }),
    },
    asksClients: authorities !== null,
    certificate,
    validUntil: lifetimeOf(certificate).until,
  }
}
