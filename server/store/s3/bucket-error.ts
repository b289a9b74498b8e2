import { GraftError, toGraftError } from '../../../shared/errors.ts'

/** What a network says when nobody answers, or no longer. */
const SILENCE = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'EPROTO'],
  ...['ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'ERR_STREAM_PREMATURE_CLOSE'],
])

/** Answers of a server that wants to be asked again. */
const PASSING = new Set([
  ...['TimeoutError', 'RequestTimeout', 'RequestTimeTooSkewed'],
  ...['SlowDown', 'Throttling', 'ThrottlingException', 'OperationAborted'],
])

const FULL = new Set(['QuotaExceeded', 'XMinioStorageFull', 'InsufficientStorage'])

/** What an error of the S3 client has, as far as it is known. */
interface ClientFault {
  readonly name?: string
  readonly code?: string
  readonly message?: string
  readonly $metadata?: { readonly httpStatusCode?: number }
}

/** @param where the bucket, as in messages */
export function toBucketError(error: unknown, where: string): GraftError {
  if (error instanceof GraftError) return error
  const { name = '', code = '', message = '', $metadata } = error as ClientFault
  const status = $metadata?.httpStatusCode
  const told = (text: string) => (text.split('\n', 1)[0] ?? '').replace(/\.$/, '')
  if (FULL.has(name) || status === 507) {
    return new GraftError('GRAFT_DISK_FULL', `${where} has no room left.`, { cause: error })
  }
  if (SILENCE.has(code)) {
    const problem = `${where} does not answer (${code}).`
    return new GraftError('GRAFT_BUCKET_UNAVAILABLE', problem, { cause: error })
  }
  if (PASSING.has(name) || status === 429 || (status !== undefined && status >= 500)) {
    const problem = `${where} answers ${told(`${name}: ${message}`)}.`
    return new GraftError('GRAFT_BUCKET_UNAVAILABLE', problem, { cause: error })
  }
  // A file of this machine, which was to be sent or written.
  if ('syscall' in (error as object) && status === undefined) return toGraftError(error)
  if (name === 'CredentialsProviderError') {
    const problem = `There is no key for ${where}: ${told(message)}.`
    return new GraftError('GRAFT_BUCKET_REFUSED', problem, { cause: error })
  }
  const problem = `${where} refuses: ${told(message === '' ? name : `${name}: ${message}`)}.`
  return new GraftError('GRAFT_BUCKET_REFUSED', problem, { cause: error })
}

/** Whether a bucket answered that it has no such object. */
export function isNoObject(error: unknown): boolean {
  const { name } = error as ClientFault
  return name === 'NoSuchKey' || name === 'NotFound'
}
