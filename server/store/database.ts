import type { SqlSession } from './apply-migrations.ts'
import type { Prisma } from './generated/client.ts'

/** An open database, before migrations: all that differs between PGlite and PostgreSQL. */
export interface Database {
  /** What and where, for messages; never a password. */
  readonly description: string
  readonly adapter: NonNullable<Prisma.PrismaClientOptions['adapter']>
  /** Lends one connection for the duration of `use`. */
  withSession<Result>(use: (session: SqlSession) => Promise<Result>): Promise<Result>
  /** Ends every connection; what was committed is on disk. */
  close(): Promise<void>
}
