import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { describe, expect, it } from 'vitest'
import { RunReport } from '../../shared/protocol/run-report.ts'
import { createTestDatabase, postgresMissing, type TestDatabase } from '../support/database.ts'
import { type Running, runGraft, startGraft } from '../support/graft-process.ts'
import { mountingForbidden, mountSmallDisk } from '../support/small-disk.ts'
import { stopBeforeRound } from '../support/stop-before-round.ts'
import { createTemporaryFolder } from '../support/temporary-folder.ts'

/** One round of two clients, real data, over in seconds; a model takes 102 kB. */
const ROUND = [
  ['--model', 'mlp:784-32-10', '--clients', '2'],
  ['--examples-per-client', '300', '--proxy', '200'],
  ['--local-epochs', '1', '--tune-epochs', '3'],
].flat()

const TOKEN = 'a-join-token-for-these-tests'

const noPostgres = await postgresMissing()

describe.skipIf(noPostgres !== null)('graft coordinator on PostgreSQL', () => {
  it('should refuse a second coordinator in the same folder', async () => {
    await using setting = await createSetting()
    await using first = setting.startCoordinator()
    await portOf(first)
    const { status, stderr } = await runGraft(setting.words('0'), setting.env)
    expect(stderr).toMatch(
      new RegExp(`^graft: .* in use by process ${first.child.pid}\\..*\\(GRAFT_HOME_BUSY\\)\\n$`),
    )
    expect(status).toBe(5)
  })

  it('should go on when the server ends its connections', async () => {
    await using setting = await createSetting()
    await using coordinator = setting.startCoordinator()
    const port = await portOf(coordinator)
    await using first = startClient(port, '0/2')
    await coordinator.printed(/client-0: ready/)
    await endConnections(setting.database)
    await using second = startClient(port, '1/2')
    const ended = await Promise.all([coordinator, first, second].map(({ finished }) => finished))
    expect(ended.map(({ status, stderr }) => ({ status, stderr }))).toEqual(
      ended.map(() => ({ status: 0, stderr: '' })),
    )
  })

  it('should end in one line when the server is gone, and go on when started again', async () => {
    await using setting = await createSetting()
    await using first = setting.startCoordinator('0', ['--database-wait', '1'])
    const port = await portOf(first)
    await using late = startClient(port, '1/2')
    await stopBeforeRound(first, late)
    await using early = startClient(port, '0/2')
    await loseDatabase(setting, first, late)
    const { status, stderr, stdout } = await first.finished
    expect(stderr).toMatch(/^graft: .*\(GRAFT_DATABASE_UNAVAILABLE\)\n$/)
    expect(status).toBe(5)
    // What is not in the journal was not acknowledged.
    expect(stdout).not.toContain('client-1: uploaded')

    await allowConnections(setting.database, true)
    await using second = setting.startCoordinator(port)
    const resumed = await second.finished
    expect({ status: resumed.status, stderr: resumed.stderr }).toEqual({ status: 0, stderr: '' })
    expect(resumed.stdout).not.toContain('client-0: training')
    expect((await early.finished).status).toBe(0)
    expect((await late.finished).status).toBe(0)
    expect((await setting.report()).rounds[0]?.uploads).toBe(2)
  })

  it('should wait while the server is gone, and its clients with it', async () => {
    await using setting = await createSetting()
    await using coordinator = setting.startCoordinator()
    const port = await portOf(coordinator)
    await using late = startClient(port, '1/2')
    await stopBeforeRound(coordinator, late)
    await using early = startClient(port, '0/2')
    await loseDatabase(setting, coordinator, late)
    await coordinator.printed(/does not answer: .*\. Waiting for it\./)
    await allowConnections(setting.database, true)
    await coordinator.printed(/The database answers again\./)
    for (const { finished } of [coordinator, early, late]) {
      const { status, stderr } = await finished
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    }
    expect((await setting.report()).rounds[0]?.uploads).toBe(2)
  })

  it.skipIf(mountingForbidden() !== null)(
    'should end when the disk is full of updates, and go on when there is room',
    async () => {
      await using setting = await createSetting()
      // Room for the untrained model and one update.
      using disk = mountSmallDisk(setting.home, '256k')
      await using first = setting.startCoordinator('0', ['--ignore-preflight'])
      const port = await portOf(first)
      await using clientA = startClient(port, '0/2')
      await using clientB = startClient(port, '1/2')
      const { status, stderr } = await first.finished
      expect(stderr).toMatch(/^graft: .*\(GRAFT_DISK_FULL\)\n$/)
      expect(status).toBe(5)
      // An update that was still on its way lies in uploads/, and is resumed; no blob is unfinished.
      expect(await readdir(join(setting.home, 'blobs', 'tmp'))).toEqual([])
      expect(await countBlobs(join(setting.home, 'blobs'))).toBeGreaterThan(0)

      disk.resize('20m')
      await using second = setting.startCoordinator(port)
      const resumed = await second.finished
      expect({ status: resumed.status, stderr: resumed.stderr }).toEqual({ status: 0, stderr: '' })
      const clients = await Promise.all([clientA.finished, clientB.finished])
      expect(clients.map((client) => client.status)).toEqual([0, 0])
      expect(clients.map(({ stdout }) => stdout).join('')).toMatch(
        /the coordinator cannot take the update now \(GRAFT_DISK_FULL\)/,
      )
      expect((await setting.report()).rounds[0]?.uploads).toBe(2)
    },
  )
})

// Helpers

interface Setting extends AsyncDisposable {
  readonly home: string
  readonly database: TestDatabase
  readonly env: Record<string, string>
  words(port: string): string[]
  startCoordinator(port?: string, more?: readonly string[]): Running
  report(): Promise<RunReport>
}

/** A folder and a database for one coordinator after the other. */
async function createSetting(): Promise<Setting> {
  const folder = await createTemporaryFolder()
  const database = await createTestDatabase()
  const home = folder.path
  const env = { DATABASE_URL: database.url, GRAFT_JOIN_TOKEN: TOKEN }
  const words = (port: string) => ['coordinator', '--port', port, '--home', home, ...ROUND]
  return {
    home,
    database,
    env,
    words,
    startCoordinator: (port = '0', more = []) => startGraft([...words(port), ...more], env),
    report: async () =>
      RunReport.parse(JSON.parse(await readFile(join(home, 'report.json'), 'utf8'))),
    async [Symbol.asyncDispose]() {
      await database[Symbol.asyncDispose]()
      await folder[Symbol.asyncDispose]()
    },
  }
}

async function portOf(coordinator: Running): Promise<string> {
  const [, port = ''] = await coordinator.printed(/http:\/\/127\.0\.0\.1:(\d+)/)
  return port
}

function startClient(port: string, shard: string): Running {
  const server = ['--server', `http://127.0.0.1:${port}`, '--retry', '120']
  return startGraft(['client', ...server, '--shard', shard], { GRAFT_TOKEN: TOKEN })
}

/** The server goes when client 0 has sent its update, and before client 1 does. */
async function loseDatabase({ database }: Setting, coordinator: Running, late: Running) {
  await coordinator.printed(/client-0: uploaded/)
  await allowConnections(database, false)
  await endConnections(database)
  late.child.kill('SIGCONT')
}

async function endConnections(database: TestDatabase): Promise<void> {
  await onServer(
    database,
    (name) => `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}'`,
  )
}

async function allowConnections(database: TestDatabase, isAllowed: boolean): Promise<void> {
  await onServer(database, (name) => `ALTER DATABASE "${name}" ALLOW_CONNECTIONS ${isAllowed}`)
}

/** Beside the database, which may take no connections. */
async function onServer({ url }: TestDatabase, sql: (name: string) => string): Promise<void> {
  const place = new URL(url)
  const name = place.pathname.slice(1)
  place.pathname = '/postgres'
  const client = new pg.Client({ connectionString: place.href })
  await client.connect()
  try {
    await client.query(sql(name))
  } finally {
    await client.end()
  }
}

/** Expects each blob to be whole: its name is its hash. */
async function countBlobs(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  for (const { parentPath, name } of files) {
    const bytes = await readFile(join(parentPath, name))
    const hash = createHash('sha256').update(bytes).digest('hex')
    expect(parentPath.slice(-2) + name).toBe(hash)
  }
  return files.length
}
