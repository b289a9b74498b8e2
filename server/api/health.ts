import { z } from 'zod'
import { type ApiApp, of } from './api-app.ts'
import type { ApiContext } from './api-context.ts'

const tags: [string] = ['operations']
/** A database that is silent for longer is as good as none. */
const PATIENCE_MS = 5_000

const Check = z.strictObject({ isGood: z.boolean(), detail: z.string() })
const Health = z.strictObject({ status: z.literal('alive') })
const Readiness = z.strictObject({
  isReady: z.boolean(),
  leads: Check,
  database: Check,
  blobs: Check,
})

/** `/healthz` for who restarts a process, `/readyz` for who sends it work. Neither tells a stranger more than that. */
export function healthRoutes(app: ApiApp, context: ApiContext): void {
  app.get(
    '/healthz',
    of('anybody', {
      tags,
      summary: 'Whether the process lives',
      response: { 200: Health },
    }),
    async () => ({ status: 'alive' as const }),
  )

  app.get(
    '/readyz',
    of('anybody', {
      tags,
      summary: 'Whether this coordinator leads, its database answers and blobs can be written',
      response: { 200: Readiness, 503: Readiness },
    }),
    async (_request, reply) => {
      const leads = leadOf(context)
      const [database, blobs] = await Promise.all([
        check('answers', 'does not answer', () => context.store.unfinishedRun()),
        check('can be written', 'cannot be written', () => context.blobs.check()),
      ])
      const isReady = leads.isGood && database.isGood && blobs.isGood
      return reply.code(isReady ? 200 : 503).send({ isReady, leads, database, blobs })
    },
  )
}

function leadOf({ isLeading, isEnding }: ApiContext): z.infer<typeof Check> {
  if (isEnding?.() === true) return { isGood: false, detail: 'is about to end' }
  return isLeading()
    ? { isGood: true, detail: 'leads' }
    : { isGood: false, detail: 'another coordinator leads' }
}

async function check(
  good: string,
  bad: string,
  work: () => Promise<unknown>,
): Promise<z.infer<typeof Check>> {
  const patience = new AbortController()
  const silence = new Promise<never>((_resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('silent')), PATIENCE_MS)
    patience.signal.addEventListener('abort', () => clearTimeout(timer))
  })
  try {
    await Promise.race([work(), silence])
    return { isGood: true, detail: good }
  } catch {
    return { isGood: false, detail: bad }
  } finally {
    patience.abort()
  }
}
