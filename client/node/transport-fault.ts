import { GraftError } from '../../shared/errors.ts'

/**
 * Why no connection came about, where that is TLS and trying again alone will not help; null for all else, as when nobody
 * listens.
 *
 * @param error of socket.io's `connect_error`
 * @param server address that was tried
 */
export function transportFault(error: unknown, server: string): GraftError | null {
  const cause = causeOf(error)
  if (cause === null) return null
  const { code = '', message } = cause
  const fault = (as: ConstructorParameters<typeof GraftError>[0], problem: string) =>
    new GraftError(as, problem, { cause })

  if (code === 'CERT_HAS_EXPIRED') {
    return fault('GRAFT_CERTIFICATE_UNTRUSTED', `The certificate of ${server} has expired.`)
  }
  if (code === 'CERT_NOT_YET_VALID') {
    return fault('GRAFT_CERTIFICATE_UNTRUSTED', `The certificate of ${server} is not valid yet.`)
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const problem = `The certificate of ${server} is for other names: ${namesIn(cause)}.`
    return fault('GRAFT_CERTIFICATE_UNTRUSTED', problem)
  }
  if (UNTRUSTED.has(code)) {
    const problem = `The certificate of ${server} is signed by nobody that this client trusts.`
    return fault('GRAFT_CERTIFICATE_UNTRUSTED', problem)
  }
  if (/^Unexpected server response: 426/.test(message)) {
    return fault('GRAFT_TLS_MISMATCH', `${server} speaks TLS only.`)
  }
  // What a server without TLS answers is no TLS record.
  if (code === 'EPROTO' || code === 'ERR_SSL_WRONG_VERSION_NUMBER') {
    return /wrong version number|packet length too long|WRONG_VERSION/i.test(`${message} ${code}`)
      ? fault('GRAFT_TLS_MISMATCH', `${server} does not speak TLS.`)
      : fault('GRAFT_CERTIFICATE_UNTRUSTED', `No TLS connection to ${server}: ${message}`)
  }
  return null
}

/** OpenSSL's words for a chain that ends in no authority one knows. */
const UNTRUSTED: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_UNTRUSTED',
  'CERT_SIGNATURE_FAILURE',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'CERT_REVOKED',
])

/** engine.io wraps the error of ws in an event, and that in an error of its own. */
function causeOf(error: unknown): (Error & { readonly code?: string }) | null {
  const { description } = error as { description?: { error?: unknown } }
  const cause = description?.error
  return cause instanceof Error ? cause : null
}

/** Node tells the certificate with the error. */
function namesIn(cause: Error): string {
  const { cert } = cause as { cert?: { subjectaltname?: string } }
  return (cert?.subjectaltname ?? 'none').replace(/(DNS|IP Address):/g, '')
}
