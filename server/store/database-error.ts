import { GraftError } from '../../shared/errors.ts'

/** SQLSTATEs of a full disk: disk_full, and the io_error some file systems give instead of it. */
const DISK_FULL = new Set(['53100', '58030', 'ENOSPC', 'EDQUOT'])

/**
 * What PGlite throws while it makes a database: Emscripten's ErrnoError, which is no Error, has no
 * message, and counts as WASI does, not as the machine does (wasi-libc, wasi/api.h).
 */
const WASI_ERRNO: Partial<Record<number, string>> = {
  2: 'EACCES',
  19: 'EDQUOT',
  29: 'EIO',
  51: 'ENOSPC',
  63: 'EPERM',
  69: 'EROFS',
}

/**
 * Classes and codes that mean "no answer, and none of our statement's making": connection exceptions
 * (08), invalid authorisation (28), unknown database (3D), too many connections (53), shutdown (57P), a server that takes no writes after
 * a failover (25006);
 * Prisma's connection errors (P1); and what Node's sockets say.
 */
const UNAVAILABLE =
  /^(08...|28...|3D...|53...|57P..|25006|P1\d+|P2024|P2037|ECONN[A-Z]+|E(HOST|NET)[A-Z]+|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EPIPE|EACCES|EIO|EPERM|EROFS|WASI errno \d+)$/

/** What pg and Prisma say without any code when a connection goes away or is not got in time. */
const UNAVAILABLE_TEXT = /connection|timeout|terminated|not queryable|is closed/i

/**
 * The one funnel from what a driver or Prisma throws to what an operator reads. Anything that is not
 * about reaching the database is a bug, and goes on unchanged.
 *
 * @param where the database's description, without a password
 */
export function toDatabaseError(error: unknown, where: string): unknown {
  if (error instanceof GraftError || !isObject(error)) return error
  if (isFileSystemError(error)) return toDatabaseError(named(error.errno), where)
  if (!(error instanceof Error)) return error
  const causes = [...causesOf(error)]
  const codes = causes.flatMap(({ code }) => (code === undefined ? [] : [code]))
  if (codes.some((code) => DISK_FULL.has(code))) {
    return new GraftError('GRAFT_DISK_FULL', `${where} has no space left.`, { cause: error })
  }
  const isUnavailable =
    causes.some(({ isFatal }) => isFatal) ||
    codes.some((code) => UNAVAILABLE.test(code)) ||
    (codes.length === 0 && causes.some(({ message }) => UNAVAILABLE_TEXT.test(message)))
  if (!isUnavailable) return error
  const inItsWords = causes.find(({ original }) => original !== undefined)?.original
  const reason =
    inItsWords ?? causes.map(({ message }) => lastLine(message)).find((text) => text !== '')
  const problem = `${where} does not answer: ${reason ?? codes[0] ?? 'unknown reason'}.`
  return new GraftError('GRAFT_DATABASE_UNAVAILABLE', problem, { cause: error })
}

interface FileSystemError {
  readonly name: 'ErrnoError'
  readonly errno: number
}

function isFileSystemError(error: object): error is FileSystemError {
  const { name, errno } = error as Record<string, unknown>
  return name === 'ErrnoError' && typeof errno === 'number'
}

function named(errno: number): Error {
  const code = WASI_ERRNO[errno] ?? `WASI errno ${errno}`
  return Object.assign(new Error(`its files cannot be written (${code})`), { code })
}

interface Cause {
  readonly code: string | undefined
  readonly message: string
  /** What the server said, before Prisma put words around it. */
  readonly original: string | undefined
  /** PostgreSQL ends the connection, or refuses it, with this error. */
  readonly isFatal: boolean
}

/** The error and what is inside it: `cause`, the parts of an AggregateError, Prisma's adapter error. */
function* causesOf(error: object, depth = 0): Generator<Cause> {
  if (depth > 5) return
  const fields = error as Record<string, unknown>
  const { code, originalCode, message, originalMessage, severity, cause, errors, meta } = fields
  const known = [originalCode, code].find((value) => typeof value === 'string')
  yield {
    code: known,
    message: typeof message === 'string' ? message : '',
    original: typeof originalMessage === 'string' ? lastLine(originalMessage) : undefined,
    isFatal: severity === 'FATAL' || severity === 'PANIC',
  }
  const parts: unknown[] = [cause, meta, ...(Array.isArray(errors) ? (errors as unknown[]) : [])]
  if (isObject(meta)) parts.push(meta['driverAdapterError'])
  for (const part of parts) if (isObject(part)) yield* causesOf(part, depth + 1)
}

/** Prisma puts a code frame before the message. */
function lastLine(message: string): string {
  return (message.trim().split('\n').at(-1) ?? '').replace(/\.$/, '')
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
