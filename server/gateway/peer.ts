import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { GraftError } from '../../shared/errors.ts'
import { ClientId } from '../../shared/ids.ts'
import type { ClientAuth } from '../../shared/protocol/messages.ts'

/** Who is at the other end of a connection, whatever it says of itself. */
export interface Peer {
  /** IP address; that of a proxy where one is between. */
  readonly address: string
}

export function peerOf(socket: Socket): Peer {
  return { address: socket.remoteAddress ?? 'unknown' }
}

/**
 * Under mutual TLS, the client is who its certificate says: by the common name, which is its name in the federation.
 *
 * @returns `auth` with that name; as it is where the server asks for no certificate
 * @throws GraftError GRAFT_CERTIFICATE_REFUSED
 */
export function identify(auth: ClientAuth, socket: Socket, asksCertificate: boolean): ClientAuth {
  if (!asksCertificate) return auth
  if (!(socket instanceof TLSSocket)) throw refused('This connection is not one of TLS.')
  const name = certifiedName(socket)
  if (auth.name === undefined || auth.name === name) return { ...auth, name }
  throw refused(`The certificate of this client is for ${name}, not for ${auth.name}.`)
}

function certifiedName(socket: TLSSocket): ClientId {
  // Types say that there always is a subject; without a certificate the object is empty.
  const certificate: { subject?: { CN?: unknown } } = socket.getPeerCertificate()
  if (certificate.subject === undefined) {
    throw refused('This coordinator asks for a certificate, and the client has none.')
  }
  if (!socket.authorized) {
    const reason = String(socket.authorizationError)
    throw refused(`The certificate of this client is not valid here: ${REASONS[reason] ?? reason}.`)
  }
  const name = ClientId.safeParse(certificate.subject.CN)
  if (name.success) return name.data
  throw refused('The common name of this client’s certificate is no name of a client.')
}

const REASONS: Partial<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'it has expired',
  CERT_NOT_YET_VALID: 'it is not valid yet',
  INVALID_PURPOSE: 'it is not one of a client',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'it is signed by itself',
  SELF_SIGNED_CERT_IN_CHAIN: 'another authority has signed it',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'another authority has signed it',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'another authority has signed it',
  UNABLE_TO_GET_ISSUER_CERT: 'another authority has signed it',
}

function refused(problem: string): GraftError {
  return new GraftError('GRAFT_CERTIFICATE_REFUSED', problem)
}
