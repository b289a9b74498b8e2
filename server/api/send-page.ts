import type { FastifyReply, FastifyRequest } from 'fastify'

/** Answers a request that found no route with the console's page. @returns null when it is for no page */
export type SendPage = (request: FastifyRequest, reply: FastifyReply) => FastifyReply | null
