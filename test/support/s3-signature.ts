import { createHash, createHmac } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

export interface S3Key {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

export interface SignedRequest {
  readonly method: string
  /** As it came, with its query. */
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** Clocks may differ by as much. */
const SKEW_MS = 15 * 60_000

export const sha256 = (data: string | Buffer): string =>
  createHash('sha256').update(data).digest('hex')

/**
 * What is wrong with a request's signature (AWS Signature Version 4, docs.aws.amazon.com/AmazonS3 "Signature Calculations for
 * the Authorization Header"), as the code that S3 answers with; null when it is right.
 */
export function signatureFault(request: SignedRequest, key: S3Key): string | null {
  const { method, url, headers, body } = request
  const header = (name: string) => String(headers[name] ?? '')
  const [, credential = '', signed = '', signature = ''] =
    /^AWS4-HMAC-SHA256 Credential=([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(
      header('authorization'),
    ) ?? []
  if (signature === '') return 'AccessDenied'
  const [accessKeyId, date = '', region = '', service = '', end = ''] = credential.split('/')
  if (accessKeyId !== key.accessKeyId) return 'InvalidAccessKeyId'
  const at = header('x-amz-date')
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(at) ?? []
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  if (!(Math.abs(time - Date.now()) < SKEW_MS)) return 'RequestTimeTooSkewed'
  const names = signed.split(';')
  if (!['host', 'x-amz-date', 'x-amz-content-sha256'].every((name) => names.includes(name))) {
    return 'AccessDenied'
  }
  const [path = '', query = ''] = url.split('?')
  const payload = header('x-amz-content-sha256')
  const canonical = [
    method,
    path,
    query
      .split('&')
      .filter((pair) => pair !== '')
      .map((pair) => (pair.includes('=') ? pair : `${pair}=`))
      .sort()
      .join('&'),
    ...names.map((name) => `${name}:${header(name).trim().replace(/ +/g, ' ')}`),
    '',
    signed,
    payload,
  ].join('\n')
  const scope = `${date}/${region}/${service}/${end}`
  const toSign = ['AWS4-HMAC-SHA256', at, scope, sha256(canonical)].join('\n')
  const signingKey = [date, region, service, end].reduce<string | Buffer>(
    (secret, part) => createHmac('sha256', secret).update(part).digest(),
    `AWS4${key.secretAccessKey}`,
  )
  const expected = createHmac('sha256', signingKey).update(toSign).digest('hex')
  if (expected !== signature) return 'SignatureDoesNotMatch'
  return payload === sha256(body) ? null : 'XAmzContentSHA256Mismatch'
}
