import { randomBytes, webcrypto } from 'node:crypto'
import { isIP } from 'node:net'
import type { JsonGeneralName } from '@peculiar/x509'
import { x509 } from './load-x509.ts'

/** Elliptic curve keys: as strong as RSA of 3072 bits, and quicker to make and to greet with. */
const KEYS = { name: 'ECDSA', namedCurve: 'P-256' } as const
const SIGNING = { name: 'ECDSA', hash: 'SHA-256' } as const

/** Clocks differ: a certificate made just now is valid on a machine that is some minutes behind. */
const CLOCK_SKEW_MS = 10 * 60_000

const DAY_MS = 86_400_000

/** Of a common name: ub-common-name of RFC 5280. */
const MOST_NAME_CHARACTERS = 64

/** A certificate and its private key, as PEM texts. */
export interface Issued {
  readonly certificate: string
  /** PKCS #8. */
  readonly key: string
}

export type Lifetime = {
  readonly days: number
  /** @default the clock */
  readonly now?: Date
}

/** A new private certificate authority, which signs servers and clients but no other authority. */
export async function issueAuthority(name: string, lifetime: Lifetime): Promise<Issued> {
  const keys = await newKeys()
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: commonName(name),
    ...validity(lifetime),
    signingAlgorithm: SIGNING,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { certificate: certificate.toString('pem'), key: await exportKey(keys.privateKey) }
}

/**
 * A certificate with which a coordinator is known under each of `hosts`.
 *
 * @param hosts host names, with `*.` for a whole domain, and IP addresses; the first is its common name
 */
export async function issueServer(
  authority: Issued,
  hosts: readonly [string, ...string[]],
  lifetime: Lifetime,
): Promise<Issued> {
  const names = hosts.map((host): JsonGeneralName => ({
    type: isIP(host) ? 'ip' : 'dns',
    value: host,
  }))
  return issueLeaf(authority, hosts[0].slice(0, MOST_NAME_CHARACTERS), {
    ...lifetime,
    purpose: [
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(names),
    ],
  })
}

/** A certificate with which a client is known under the name that it has in the federation. */
export async function issueClient(
  authority: Issued,
  name: string,
  lifetime: Lifetime,
): Promise<Issued> {
  return issueLeaf(authority, name, {
    ...lifetime,
    purpose: [new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth])],
  })
}

async function issueLeaf(
  authority: Issued,
  name: string,
  { purpose, ...lifetime }: Lifetime & { readonly purpose: readonly x509.Extension[] },
): Promise<Issued> {
  const issuer = new x509.X509Certificate(authority.certificate)
  const keys = await newKeys()
  const { notBefore, notAfter } = validity(lifetime)
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: commonName(name),
    issuer: issuer.subject,
    notBefore,
    // Nobody trusts it any longer than its authority.
    notAfter: notAfter < issuer.notAfter ? notAfter : issuer.notAfter,
    signingAlgorithm: SIGNING,
    publicKey: keys.publicKey,
    signingKey: await importKey(authority.key),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      ...purpose,
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
    ],
  })
  return { certificate: certificate.toString('pem'), key: await exportKey(keys.privateKey) }
}

function validity({ days, now = new Date() }: Lifetime) {
  return {
    notBefore: new Date(now.getTime() - CLOCK_SKEW_MS),
    notAfter: new Date(now.getTime() + days * DAY_MS),
  }
}

/** As parts, so that no character of a name has a meaning. */
function commonName(name: string): x509.Name {
  return new x509.Name([{ CN: [{ utf8String: name }] }])
}

/** 127 random bits, RFC 5280 section 4.1.2.2: positive, and of at most 20 octets. */
function serialNumber(): string {
  const bytes = randomBytes(16)
  bytes[0] = (bytes[0]! & 0x7f) | 0x40
  return bytes.toString('hex')
}

async function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(KEYS, true, ['sign', 'verify'])
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')
}

async function importKey(pem: string): Promise<webcrypto.CryptoKey> {
  const bytes = x509.PemConverter.decodeFirst(pem)
  return webcrypto.subtle.importKey('pkcs8', bytes, KEYS, false, ['sign'])
}
