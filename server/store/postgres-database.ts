import { PrismaPg } from '@prisma/adapter-pg'
import pg from 'pg'
import { GraftError } from '../../shared/errors.ts'
import type { Database, DatabaseLock } from './database.ts'
import { toDatabaseError } from './database-error.ts'

/** How long a server may take to accept a connection, and then to answer one statement. */
const CONNECT_TIMEOUT_MS = 5_000
const QUERY_TIMEOUT_MS = 20_000

/**
 * What every connection is told first, whatever the server's configuration says: times without a zone
 * are UTC (the adapter writes and reads them so); statements that collide wait instead of failing; a
 * commit is on disk when it is acknowledged.
 */
const SESSION = `SET TIME ZONE 'UTC';
SET default_transaction_isolation TO 'read committed';
SET synchronous_commit TO on`

/**
 * A PostgreSQL server.
 *
 * @param url `postgresql://user:password@host:port/database`; appears in no message
 * @throws GraftError GRAFT_DATABASE_UNAVAILABLE within seconds when it does not answer
 */
export async function openPostgresDatabase(url: string): Promise<Database> {
  const place = placeOf(url)
  const pool = new pg.Pool({
    connectionString: url,
    application_name: 'graft',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    keepAlive: true,
    max: 8,
    onConnect: prepareSession,
  })
  // An idle connection that the server ended: the pool has dropped it and opens another when needed.
  pool.on('error', () => undefined)
  let version: string
  try {
    const { rows } = await pool.query<{ server_version: string }>('SHOW server_version')
    // e.g. `15.2 (Debian 15.2-1)`
    version = rows[0]?.server_version.split(' ')[0] ?? 'of unknown version'
  } catch (error) {
    await pool.end()
    throw toDatabaseError(error, `PostgreSQL at ${place}`)
  }
  return {
    description: `PostgreSQL ${version} at ${place}`,
    adapter: new PrismaPg(pool),
    withSession: async (use) => {
      const client = await pool.connect()
      // The pool listens only to idle connections; the statement under way fails by itself.
      client.on('error', () => undefined)
      try {
        return await use({
          query: async (sql, values) =>
            (await client.query<Record<string, unknown>>(sql, [...(values ?? [])])).rows,
          execute: async (script) => {
            await client.query(script)
          },
        })
      } finally {
        client.release()
      }
    },
    tryLock: () => tryAdvisoryLock(url),
    breakLock: async (seconds) => {
      const { rowCount } = await pool.query(END_SILENT_LEADER, [seconds])
      return rowCount !== null && rowCount > 0
    },
    close: () => pool.end(),
  }
}

/** Two numbers of Graft's own; locks are of one database. */
const LOCK_CLASS = 1735549286
const LOCK_KEYS = `${LOCK_CLASS}, 1`

/** A leader's sign of life, which the server notes the time of; by its own clock, nobody else's. */
const HEARTBEAT = 'SELECT 1 AS "leader is alive"'
const HEARTBEAT_MS = 1_000

/** One that never gave a sign, as Graft before this did not, is left alone. */
const END_SILENT_LEADER = `
SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_stat_activity a USING (pid)
WHERE locktype = 'advisory' AND classid = ${LOCK_CLASS} AND objid = 1 AND objsubid = 2 AND granted
  AND a.datname = current_database() AND database = a.datid AND a.query = '${HEARTBEAT}'
  AND state_change < clock_timestamp() - make_interval(secs => $1)`

/**
 * Without an answer for some 5 s the server takes the other machine for dead, and its lock is free. A process that
 * ends, however it ends, has its connection closed by its kernel at once.
 */
const LOCK_SESSION = `SET tcp_keepalives_idle TO 2;
SET tcp_keepalives_interval TO 1;
SET tcp_keepalives_count TO 3;
SET tcp_user_timeout TO 5000`

/** A session-level advisory lock, on a connection that does nothing else. */
async function tryAdvisoryLock(url: string): Promise<DatabaseLock | null> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'graft leader',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    keepAlive: true,
  })
  const broken = new Promise<void>((resolve) => {
    client.on('error', () => resolve())
    client.on('end', () => resolve())
  })
  try {
    await client.connect()
    await client.query(LOCK_SESSION)
    const sql = `SELECT pg_try_advisory_lock(${LOCK_KEYS}) AS "isMine"`
    const { rows } = await client.query<{ isMine: boolean }>(sql)
    if (rows[0]?.isMine === true) {
      // What goes wrong with the connection is told by its events.
      const beat = setInterval(
        () => void client.query(HEARTBEAT).catch(() => undefined),
        HEARTBEAT_MS,
      )
      void broken.then(() => clearInterval(beat))
      return {
        broken,
        release: async () => {
          clearInterval(beat)
          await client.end().catch(() => undefined)
        },
      }
    }
  } catch (error) {
    await client.end().catch(() => undefined)
    throw error
  }
  await client.end()
  return null
}

/** The pool waits for what this returns before it lends the connection; its types do not say so. */
function prepareSession(client: pg.ClientBase): unknown {
  return client.query(SESSION)
}

/** Where a URL points, e.g. `db:5432/graft`, without user and password. */
function placeOf(url: string): string {
  let target: pg.Client
  try {
    if (!/^postgres(ql)?:\/\//.test(url)) throw new TypeError('another protocol')
    target = new pg.Client({ connectionString: url })
  } catch {
    // Without a cause: Node's ERR_INVALID_URL carries the whole address, password included.
    throw new GraftError(
      'GRAFT_DATABASE_UNAVAILABLE',
      'DATABASE_URL is not of the form postgresql://USER:PASSWORD@HOST:PORT/DATABASE.',
    )
  }
  return `${target.host}:${target.port}/${target.database ?? ''}`
}
