import { Prisma, type PrismaClient } from './generated/client.ts'
import type { RequestStore } from './operator-store.ts'
import { toText } from './rows.ts'
import type { Answer } from './sessions.ts'

/** Wishes in the table of their own; see {@link RequestStore}. */
export function createRequests(
  prisma: Pick<PrismaClient, 'operatorRequest' | '$executeRaw'>,
  answer: Answer,
): RequestStore {
  return {
    claim: async ({ id, fingerprint, keptSince }) => {
      await answer(prisma.operatorRequest.deleteMany({ where: { at: { lt: keptSince } } }))
      const made = await answer(
        prisma.$executeRaw`
          INSERT INTO "operator_request" ("id", "fingerprint", "at")
          VALUES (${id}::uuid, ${fingerprint}, ${new Date()}) ON CONFLICT ("id") DO NOTHING`,
      )
      if (made > 0) return { state: 'new' }
      const row = await answer(prisma.operatorRequest.findUnique({ where: { id } }))
      // Dropped in between: whoever asks again will find it free.
      if (row === null) return { state: 'open' }
      if (row.fingerprint !== fingerprint) return { state: 'foreign' }
      if (row.status === null) return { state: 'open' }
      return { state: 'answered', status: row.status, answer: row.answer }
    },

    answer: async (id, { status, body }) => {
      const text = body === undefined ? Prisma.sql`NULL` : Prisma.sql`${toText(body)}::json`
      await answer(
        prisma.$executeRaw`
          UPDATE "operator_request" SET "status" = ${status}, "answer" = ${text}
          WHERE "id" = ${id}::uuid`,
      )
    },

    drop: async (id) => {
      await answer(prisma.operatorRequest.deleteMany({ where: { id, status: null } }))
    },
  }
}
