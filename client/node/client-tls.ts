import { GraftError } from '../../shared/errors.ts'
import { type KeyPair, readCertificates, readKeyPair } from '../../shared/tls/certificate-file.ts'

/** What a client trusts and shows, as PEM texts. */
export interface ClientTls extends Partial<KeyPair> {
  /** Authorities in the place of those that Node knows. */
  readonly ca?: readonly string[]
}

/** As Node, and ws by it, takes them; arrays are copied, as those types are not for reading only. */
export function tlsOptions({ ca, cert, key }: ClientTls = {}) {
  return {
    ...(ca && { ca: [...ca] }),
    ...(cert !== undefined && key !== undefined && { cert, key }),
  }
}

export interface ClientTlsFiles {
  readonly ca?: string | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
}

/**
 * Reads what `--tls-ca`, `--tls-cert` and `--tls-key` name.
 *
 * @throws GraftError GRAFT_OPTION_INVALID for half a pair, or for servers without TLS; GRAFT_FILE_UNREADABLE,
 *   GRAFT_CERTIFICATE_INVALID
 */
export async function readClientTls(
  { ca, cert, key }: ClientTlsFiles,
  servers: readonly string[],
): Promise<ClientTls> {
  if (ca === undefined && cert === undefined && key === undefined) return {}
  const plain = servers.find((server) => !server.startsWith('https:'))
  if (plain !== undefined) {
    throw invalid(
      `--tls-ca, --tls-cert and --tls-key are for https:// addresses, not for ${plain}.`,
    )
  }
  if ((cert === undefined) !== (key === undefined)) {
    throw invalid(
      `--tls-cert and --tls-key belong together: ${cert === undefined ? '--tls-cert' : '--tls-key'} is missing.`,
    )
  }
  return {
    ...(ca !== undefined && { ca: (await readCertificates(ca)).map((each) => each.toString()) }),
    ...(cert !== undefined && key !== undefined && (await readKeyPair(cert, key))),
  }
}

function invalid(problem: string): GraftError {
  return new GraftError('GRAFT_OPTION_INVALID', problem)
}
