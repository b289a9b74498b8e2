import { randomUUID } from 'node:crypto'
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifySchema,
  LogController,
  type RawReplyDefaultExpression,
  type RawRequestDefaultExpression,
  type RawServerDefault,
} from 'fastify'
import {
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod'
import { z } from 'zod'
import { GraftError } from '../../shared/errors.ts'
import type { Log } from '../../shared/log/log.ts'
import { Problem } from '../../shared/protocol/operator/resources.ts'
import type { Role } from '../../shared/protocol/operator/role.ts'
import type { SendPage } from './send-page.ts'
import { isFault, PROBLEM_TYPE, sendProblem, toRefusal } from './problems.ts'

/** Longest body of a request. */
const BODY_BYTES = 256 * 1024

export type ApiApp = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  ZodTypeProvider
>

export interface ApiAppOptions {
  /** Fastify's own words go there, too. */
  readonly log: Log
  /** Told of failures that are no request's fault. */
  readonly onFault: (error: Error) => void
  readonly onRefusal: (request: FastifyRequest, error: GraftError) => void
  /** Answers what found no route with a page of the console, where it is one. */
  readonly sendPage: SendPage
}

/** Fastify with zod at its edge, and a problem for whatever goes wrong. It never listens by itself. */
export function createApiApp({ log, onFault, onRefusal, sendPage }: ApiAppOptions): ApiApp {
  // By Fastify's type of it, which its plugins go by.
  const loggerInstance: FastifyBaseLogger = log
  const app = Fastify({
    bodyLimit: BODY_BYTES,
    loggerInstance,
    // It would say the whole address; log-requests.ts says the route.
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomUUID(),
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 200 },
    // What Node itself cannot read as HTTP is answered by the server that this one stands on.
    frameworkErrors: (error, request, reply) => void sendProblem(request, reply, toRefusal(error)),
  }).withTypeProvider<ZodTypeProvider>()
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)

  const methods = collectMethods(app)
  app.setErrorHandler((error: Error, request, reply) => {
    const refusal = toRefusal(error)
    if (isFault(refusal)) onFault(refusal)
    onRefusal(request, refusal)
    const { retryAfterSeconds } = refusal
    if (retryAfterSeconds !== undefined) reply.header('retry-after', retryAfterSeconds)
    return sendProblem(request, reply, refusal)
  })
  app.setNotFoundHandler((request, reply) => {
    const page = sendPage(request, reply)
    if (page !== null) return page
    const allowed = methods.of(request.url.split('?', 1)[0] ?? '')
    if (allowed.length === 0) {
      const problem = `There is nothing at ${request.method} ${request.url.slice(0, 200)}.`
      return sendProblem(request, reply, new GraftError('GRAFT_NOT_FOUND', problem))
    }
    reply.header('allow', allowed.join(', '))
    const problem = `${request.method} is not what this route takes; ${allowed.join(', ')} ${allowed.length > 1 ? 'are' : 'is'}.`
    return sendProblem(request, reply, new GraftError('GRAFT_METHOD_NOT_ALLOWED', problem))
  })
  return app
}

/** Whom a route is for, and what it takes and answers: goes where Fastify has its options of a route. */
export function of<const Schema extends FastifySchema>(
  access: Role | 'anybody',
  schema: Schema & { summary: string; tags: [string] },
) {
  return {
    config: { access },
    schema: {
      ...schema,
      'x-graft-role': access,
      security: access === 'anybody' ? [] : [{ session: [] }, { bearer: [] }],
      response: {
        ...(schema.response as object),
        default: {
          description: 'Refused; `code` and `remedy` say why and what to do.',
          content: { [PROBLEM_TYPE]: { schema: Problem } },
        },
      } as unknown as Schema['response'],
    },
  }
}

/** An answer without a body. */
export const NOTHING = z.null().describe('nothing')

/** An answer that is no JSON. */
export const BINARY = (type: string, description: string) => ({
  description,
  content: { [type]: { schema: z.string().meta({ format: 'binary' }) } },
})

/** Bytes, which are no business of the schemas. */
export function sendBytes(reply: object, bytes: unknown): FastifyReply {
  return (reply as FastifyReply).send(bytes)
}

/** Fastify calls another method of a known path not found: this knows better. */
function collectMethods(app: FastifyInstance) {
  const routes: { pattern: RegExp; method: string }[] = []
  app.addHook('onRoute', ({ url, method }) => {
    if (url.includes('*')) return
    const pattern = new RegExp(`^${url.replace(/[.]/g, '\\.').replace(/:[^/]+/g, '[^/]+')}/?$`)
    for (const one of [method].flat()) routes.push({ pattern, method: one })
  })
  return {
    of: (path: string) => [
      ...new Set(routes.filter(({ pattern }) => pattern.test(path)).map((it) => it.method)),
    ],
  }
}
