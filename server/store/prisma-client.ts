import type { Database } from './database.ts'
import { PrismaClient } from './generated/client.ts'

/** Prisma on an open database. */
export function createPrismaClient({ adapter }: Pick<Database, 'adapter'>) {
  return new PrismaClient({
    adapter,
    // A hash goes in and is compared with; nothing ever needs to read it.
    omit: { token: { secretHash: true, previousHash: true, previousUntil: true } },
  })
}
export type StorePrisma = ReturnType<typeof createPrismaClient>
