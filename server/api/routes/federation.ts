import { FederationView } from '../../../shared/protocol/operator/live.ts'
import { type ApiApp, of } from '../api-app.ts'
import type { ApiContext } from '../api-context.ts'

/** What the federation is doing now. */
export function federationRoutes(app: ApiApp, { operations }: ApiContext): void {
  app.get(
    '/federation',
    of('viewer', {
      tags: ['federation'],
      summary: 'What the federation is doing now',
      response: { 200: FederationView },
    }),
    async () => operations.federation(),
  )
}
