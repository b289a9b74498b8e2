import { z } from 'zod'
import { type ApiApp, BINARY, of, sendBytes } from '../api-app.ts'
import { referencePage } from './reference-page.ts'

const tags: [string] = ['operations']

/** The OpenAPI document and the page that is made of it; both are for anybody, as they are the same for everybody. */
export function referenceRoutes(app: ApiApp): void {
  app.get(
    '/openapi.json',
    of('anybody', {
      tags,
      summary: 'This document',
      response: { 200: z.unknown() },
    }),
    async (_request, reply) =>
      sendBytes(reply.type('application/json'), JSON.stringify(app.swagger())),
  )

  app.get(
    '/reference',
    of('anybody', {
      tags,
      summary: 'The reference for people',
      response: { 200: BINARY('text/html', 'a page') },
    }),
    async (_request, reply) => {
      const page = referencePage(app.swagger() as Parameters<typeof referencePage>[0])
      return sendBytes(reply.type('text/html; charset=utf-8'), page)
    },
  )
}
