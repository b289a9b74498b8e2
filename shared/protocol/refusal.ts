import type { z } from 'zod'
import { ERRORS, GraftError } from '../errors.ts'
import type { Refusal } from './messages.ts'

/** What the other side reads of a failure. */
export function toRefusal(error: GraftError): Refusal {
  const { code, message, retryAfterSeconds } = error
  return { ok: false, code, message, ...(retryAfterSeconds !== undefined && { retryAfterSeconds }) }
}

/** The failure behind a refusal; inverse of {@link toRefusal}, so the remedy is said once. */
export function fromRefusal({
  code,
  message,
  retryAfterSeconds,
}: Pick<Refusal, 'code' | 'message' | 'retryAfterSeconds'>): GraftError {
  const suffix = ` ${ERRORS[code].remedy} (${code})`
  const problem = message.endsWith(suffix) ? message.slice(0, -suffix.length) : message
  return new GraftError(code, problem, { retryAfterSeconds })
}

/** A schema of messages.ts, for those who only pass it on. */
export type MessageSchema<Message> = z.ZodType<Message>

/**
 * Parses one message from the wire.
 *
 * @param what names the message in the refusal, e.g. `update:begin`
 * @throws GraftError GRAFT_MESSAGE_INVALID, naming each field at fault
 */
export function parseMessage<Message>(
  what: string,
  schema: MessageSchema<Message>,
  message: unknown,
): Message {
  const parsed = schema.safeParse(message)
  if (parsed.success) return parsed.data
  const faults = parsed.error.issues
    .slice(0, 5)
    .map((issue) => `${issue.path.map(String).join('.') || 'message'}: ${issue.message}`)
  throw new GraftError('GRAFT_MESSAGE_INVALID', `${what} is not valid: ${faults.join('; ')}.`)
}
