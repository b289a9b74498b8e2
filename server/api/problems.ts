import { STATUS_CODES } from 'node:http'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod'
import { type ErrorCode, ERRORS, GraftError, toGraftError } from '../../shared/errors.ts'
import type { Problem } from '../../shared/protocol/operator/resources.ts'

export const PROBLEM_TYPE = 'application/problem+json'

/** Answers a refusal as RFC 9457 has it. */
export function sendProblem(
  request: FastifyRequest,
  reply: FastifyReply,
  error: GraftError,
): FastifyReply {
  const problem = toProblem(error, pathOf(request))
  // Serialised here: the schemas of a route are for what it answers when all is well.
  return reply
    .code(problem.status)
    .type(PROBLEM_TYPE)
    .serializer(String)
    .send(JSON.stringify(problem))
}

export function toProblem(error: GraftError, instance: string): Problem {
  const { status, remedy } = ERRORS[error.code]
  return {
    type: 'about:blank',
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail: error.problem,
    code: error.code,
    remedy,
    instance,
  }
}

/** What Fastify itself refuses, in our codes. */
const FASTIFY_CODES: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'GRAFT_REQUEST_TOO_LARGE',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'GRAFT_REQUEST_INVALID',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'GRAFT_REQUEST_INVALID',
  FST_ERR_CTP_INVALID_JSON_BODY: 'GRAFT_REQUEST_INVALID',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'GRAFT_REQUEST_INVALID',
  FST_ERR_BAD_URL: 'GRAFT_REQUEST_INVALID',
  FST_ERR_MAX_PARAM_LENGTH: 'GRAFT_REQUEST_INVALID',
}

/** The one funnel of the API from what was thrown to what is answered. */
export function toRefusal(error: FastifyError | Error): GraftError {
  if (error instanceof GraftError) return error
  if (hasZodFastifySchemaValidationErrors(error)) {
    const where = (error as FastifyError).validationContext ?? 'request'
    const faults = error.validation.map(
      ({ instancePath, message }) =>
        `${where}${instancePath.replaceAll('/', '.').replace(/\.$/, '')}: ${message ?? ''}`,
    )
    return new GraftError('GRAFT_REQUEST_INVALID', `${faults.join('; ')}.`)
  }
  const { code, statusCode } = error as FastifyError
  const known =
    FASTIFY_CODES[code] ?? (isClientFault(statusCode) ? 'GRAFT_REQUEST_INVALID' : undefined)
  return known === undefined
    ? toGraftError(error)
    : new GraftError(known, `${error.message.replace(/\.$/, '')}.`, { cause: error })
}

/** Path of a request, without its query: a query may hold what is nobody else's business. */
export function pathOf(request: FastifyRequest): string {
  return request.url.split('?', 1)[0] ?? ''
}

/** Our own refusals with 500 and more are faults of this machine; so is whatever nobody expected. */
export function isFault({ code }: GraftError): boolean {
  return ERRORS[code].status === 500
}

/** Refused for who asks, or from where, or how often; a mistake in a request is none. */
export function isDenial({ code }: GraftError): boolean {
  return DENIALS.has(ERRORS[code].status)
}
const DENIALS = new Set<number>([401, 403, 429])

function isClientFault(status: number | undefined): boolean {
  return status !== undefined && status >= 400 && status < 500
}
