import { GraftError } from '../../shared/errors.ts'

/** SQLSTATEs of a full disk: disk_full, and the io_error some file systems give instead of it. */
const DISK_FULL = new Set(['53100', '58030', 'ENOSPC'])

/**
 * Classes and codes that mean "no answer, and none of our statement's making": connection exceptions
 * (08), invalid authorisation (28), unknown database (3D), too many connections (53), shutdown (57P);
 * Prisma's connection errors (P1); and what Node's sockets say.
 */
const UNAVAILABLE =
  /^(08...|28...|3D...|53...|57P..|P1\d+|P2024|P2037|ECONN[A-Z]+|E(HOST|NET)[A-Z]+|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EPIPE)$/

/** What pg and Prisma say without any code when a connection goes away or is not got in time. */
const UNAVAILABLE_TEXT = /connection|timeout|terminated|not queryable|is closed/i

/**
 * The one funnel from what a driver or Prisma throws to what an operator reads. Anything that is not
 * about reaching the database is a bug, and goes on unchanged.
 *
 * @param where the database's description, without a password
 */
export function toDatabaseError(error: unknown, where: string): unknown {
  if (error instanceof GraftError || !(error instanceof Error)) return error
  const causes = [...causesOf(error)]
  const codes = causes.flatMap(({ code }) => (code === undefined ? [] : [code]))
  if (codes.some((code) => DISK_FULL.has(code))) {
    return new GraftError('GRAFT_DISK_FULL', `${where} has no space left.`, { cause: error })
  }
  const isUnavailable =
    codes.some((code) => UNAVAILABLE.test(code)) ||
    (codes.length === 0 && causes.some(({ message }) => UNAVAILABLE_TEXT.test(message)))
  if (!isUnavailable) return error
  const reason = causes.map(({ message }) => lastLine(message)).find((text) => text !== '')
  const problem = `${where} does not answer: ${reason ?? codes[0] ?? 'unknown reason'}.`
  return new GraftError('GRAFT_DATABASE_UNAVAILABLE', problem, { cause: error })
}

interface Cause {
  readonly code: string | undefined
  readonly message: string
}

/** The error and what is inside it: `cause`, the parts of an AggregateError, Prisma's adapter error. */
function* causesOf(error: object, depth = 0): Generator<Cause> {
  if (depth > 5) return
  const { code, originalCode, message, cause, errors, meta } = error as Record<string, unknown>
  const known = [originalCode, code].find((value) => typeof value === 'string')
  yield {
    code: known,
    message: typeof message === 'string' ? message : '',
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
