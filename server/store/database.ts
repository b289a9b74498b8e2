import type { SqlSession } from './apply-migrations.ts'
import type { Prisma } from './generated/client.ts'

/** Held until it is released, or until the process or its connection ends: then the server gives it to the next. */
export interface DatabaseLock {
  /** Resolves when the connection that held it is gone. */
  readonly broken: Promise<void>
  release(): Promise<void>
}

/** An open database, before migrations: all that differs between PGlite and PostgreSQL. */
export interface Database {
  /** What and where, for messages; never a password. */
  readonly description: string
  readonly adapter: NonNullable<Prisma.PrismaClientOptions['adapter']>
  /** Lends one connection for the duration of `use`. */
  withSession<Result>(use: (session: SqlSession) => Promise<Result>): Promise<Result>
  /** The lock that one process at a time has on this database; null while another has it. */
  tryLock(): Promise<DatabaseLock | null>
  /**
   * Takes the lock away from a process that is there and has given no sign of life for so long: it hangs, or its machine sleeps.
   * @returns whether it did
   */
  breakLock(silentSeconds: number): Promise<boolean>
  /** Ends every connection; what was committed is on disk. */
  close(): Promise<void>
}
