import { randomUUID } from 'node:crypto'
import pg from 'pg'

/** A server that lets `postgres` in without a password, as CI starts one. */
const DEFAULT_URL = 'postgresql://postgres@127.0.0.1:5432/postgres'

export interface TestDatabase extends AsyncDisposable {
  readonly url: string
  /** Runs statements as the server's owner, beside the store under test. */
  query(sql: string): Promise<Record<string, unknown>[]>
}

/**
 * Why tests that need PostgreSQL cannot run here, or null when they can. In CI a missing server is an
 * error instead, so that a green run always means both databases.
 */
export async function postgresMissing(): Promise<string | null> {
  const client = new pg.Client({ connectionString: serverUrl(), connectionTimeoutMillis: 3000 })
  try {
    await client.connect()
    await client.end()
    return null
  } catch (error) {
    const reason = `no PostgreSQL server at ${new URL(serverUrl()).host} (set TEST_DATABASE_URL)`
    if (process.env['CI']) throw new Error(reason, { cause: error })
    console.warn(`skipped: ${reason}`)
    return reason
  }
}

/** A new, empty database on the test server; disposing of it drops it. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const name = `graft_test_${randomUUID().replaceAll('-', '')}`
  await onServer(`CREATE DATABASE "${name}"`)
  const url = new URL(serverUrl())
  url.pathname = `/${name}`
  return {
    url: url.href,
    query: (sql) => onServer(sql, url.href),
    [Symbol.asyncDispose]: async () => {
      // FORCE: a test that failed may have left connections open.
      await onServer(`DROP DATABASE "${name}" WITH (FORCE)`)
    },
  }
}

function serverUrl(): string {
  return process.env['TEST_DATABASE_URL'] ?? DEFAULT_URL
}

async function onServer(sql: string, url = serverUrl()): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows
  } finally {
    await client.end()
  }
}
