import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { GraftError, toGraftError } from '../errors.ts'

/** A certificate with its private key, as PEM texts. */
export interface KeyPair {
  /** The certificate first; behind it those of intermediate authorities, if there are any. */
  readonly cert: string
  readonly key: string
}

/**
 * Reads the certificates of a PEM file, for whoever is to trust them or show them.
 *
 * @throws GraftError GRAFT_FILE_UNREADABLE, GRAFT_CERTIFICATE_INVALID
 */
export async function readCertificates(
  file: string,
): Promise<[X509Certificate, ...X509Certificate[]]> {
  const text = await read(file)
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  const certificates = blocks.map((block) => {
    try {
      return new X509Certificate(block)
    } catch (cause) {
      throw invalid(`${file} has a certificate that cannot be read.`, cause)
    }
  })
  const [first, ...others] = certificates
  if (first === undefined) {
    throw invalid(`${file} has no certificate: it must have BEGIN CERTIFICATE in it (PEM).`)
  }
  return [first, ...others]
}

/**
 * Reads a certificate and its key, and sees to it that they belong together and are valid now.
 *
 * @throws GraftError GRAFT_FILE_UNREADABLE, GRAFT_CERTIFICATE_INVALID
 */
export async function readKeyPair(certFile: string, keyFile: string): Promise<KeyPair> {
  const [certificate] = await readCertificates(certFile)
  const key = await read(keyFile)
  let isPair: boolean
  try {
    isPair = certificate.checkPrivateKey(createPrivateKey(key))
  } catch (cause) {
    throw invalid(`${keyFile} is no private key without a password, in PEM.`, cause)
  }
  if (!isPair)
    throw invalid(`The key in ${keyFile} is not the one of the certificate in ${certFile}.`)
  assertIsValid(certificate, certFile)
  return { cert: await read(certFile), key }
}

/** @throws GraftError GRAFT_CERTIFICATE_INVALID when it is not valid yet, or any more */
export function assertIsValid(certificate: X509Certificate, file: string, now = new Date()): void {
  const { from, until } = lifetimeOf(certificate)
  if (now > until) throw invalid(`The certificate in ${file} expired on ${until.toISOString()}.`)
  if (now < from) {
    throw invalid(`The certificate in ${file} is not valid before ${from.toISOString()}.`)
  }
}

/** From when until when a certificate is valid. */
export function lifetimeOf(certificate: X509Certificate): { from: Date; until: Date } {
  return { from: new Date(certificate.validFrom), until: new Date(certificate.validTo) }
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw toGraftError(error)
  }
}

function invalid(problem: string, cause?: unknown): GraftError {
  return new GraftError('GRAFT_CERTIFICATE_INVALID', problem, { cause })
}
