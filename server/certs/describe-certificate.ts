import type { X509Certificate } from 'node:crypto'
import { lifetimeOf } from '../../shared/tls/certificate-file.ts'

/** Days before its end from which on a certificate should be renewed. */
export const RENEW_DAYS = 30

const DAY_MS = 86_400_000

/** What `graft certs show` says of a certificate. */
export interface CertificateReport {
  readonly name: string
  readonly issuer: string
  readonly kind: 'authority' | 'server' | 'client' | 'other'
  /** Host names and addresses of a server. */
  readonly hosts: readonly string[]
  readonly validFrom: string
  readonly validUntil: string
  readonly state: 'valid' | 'ending' | 'expired' | 'early'
  readonly daysLeft: number
  /** SHA-256 of the certificate. */
  readonly fingerprint: string
}

export function reportCertificate(
  certificate: X509Certificate,
  now = new Date(),
): CertificateReport {
  const { from, until } = lifetimeOf(certificate)
  const daysLeft = Math.floor((until.getTime() - now.getTime()) / DAY_MS)
  return {
    name: commonNameOf(certificate),
    issuer: oneOf(certificate.toLegacyObject().issuer.CN),
    kind: kindOf(certificate),
    hosts: (certificate.subjectAltName ?? '')
      .split(', ')
      .filter((name) => name !== '')
      .map((name) => name.replace(/^(DNS|IP Address):/, '')),
    validFrom: from.toISOString(),
    validUntil: until.toISOString(),
    state:
      now < from ? 'early' : now > until ? 'expired' : daysLeft < RENEW_DAYS ? 'ending' : 'valid',
    daysLeft,
    fingerprint: certificate.fingerprint256,
  }
}

/** One sentence a fact. */
export function describeCertificate(report: CertificateReport): string[] {
  const { kind, name, issuer, hosts, validFrom, validUntil, daysLeft, fingerprint } = report
  const validity = {
    valid: `Valid until ${validUntil}, ${daysLeft} days from now.`,
    ending: `Valid until ${validUntil}, only ${daysLeft} days from now: renew it with --replace.`,
    expired: `Expired on ${validUntil}: renew it with --replace.`,
    early: `Not valid before ${validFrom}.`,
  }
  return [
    `${TITLES[kind]} ${name}, signed by ${issuer}.`,
    ...(hosts.length > 0 ? [`For ${hosts.join(', ')}.`] : []),
    validity[report.state],
    `SHA-256 ${fingerprint}.`,
  ]
}

/** The name in its subject; empty when it has none. */
export function commonNameOf(certificate: X509Certificate): string {
  // Its types say that there always is a subject.
  const subject = certificate.toLegacyObject().subject as { CN?: string | string[] } | undefined
  return oneOf(subject?.CN)
}

/** A subject may have several names; the last is the most specific one. */
function oneOf(names: string | string[] | undefined): string {
  return (Array.isArray(names) ? names.at(-1) : names) ?? ''
}

const TITLES = {
  authority: 'Certificate authority',
  server: 'Server',
  client: 'Client',
  other: 'Certificate of',
} as const satisfies Record<CertificateReport['kind'], string>

/** Object identifiers of RFC 5280 section 4.2.1.12, as Node names extended key usages. */
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1'
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2'

function kindOf(certificate: X509Certificate): CertificateReport['kind'] {
  if (certificate.ca) return 'authority'
  // Node calls the extended key usage so; its types say that there always is one.
  const usages = (certificate.keyUsage as string[] | undefined) ?? []
  if (usages.includes(SERVER_AUTH)) return 'server'
  return usages.includes(CLIENT_AUTH) ? 'client' : 'other'
}
