import { createServer, connect, type Server, type Socket } from 'node:net'
import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openStore } from '../../server/store/open-store.ts'
import { createSecret } from '../../server/store/token.ts'
import { createTestDatabase, postgresMissing, type TestDatabase } from '../support/database.ts'
import { SETTINGS } from '../support/store-settings.ts'

const missing = await postgresMissing()

describe.skipIf(missing)(`PostgreSQL store${missing === null ? '' : ` (${missing})`}`, () => {
  let database: TestDatabase

  beforeEach(async () => {
    database = await createTestDatabase()
  })

  afterEach(async () => {
    await database[Symbol.asyncDispose]()
  })

  const open = (databaseUrl = database.url) => openStore({ databaseUrl, folder: '' })

  it('should describe itself with version and place, without the password', async () => {
    const url = new URL(database.url)
    url.password = 'hush'
    const store = await open(url.href)

    expect(store.description).toMatch(/^PostgreSQL \d+(\.\d+)* at \S+:\d+\/graft_test_\w+$/)
    expect(store.description).not.toContain('hush')
    await store.close()
  })

  it('should let several coordinators migrate and use one database at once', async () => {
    const stores = await Promise.all([open(), open(), open()])
    const { id } = await stores[0].createRun(SETTINGS)
    const seqs = await Promise.all(
      stores.flatMap((store) => Array.from({ length: 15 }, (_, i) => store.appendEvent(id, i))),
    )

    expect(seqs.toSorted((a, b) => a - b)).toEqual(seqs.map((_, i) => i + 1))
    await Promise.all(stores.map((store) => store.close()))
  })

  it('should wait for the event that a killed coordinator has sent', async () => {
    const store = await open()
    const { id } = await store.createRun(SETTINGS)
    // One transaction, as the database is at when it takes long over a statement whose sender is gone.
    const late = database.query(`
      UPDATE run SET last_seq = 1 WHERE id = '${id}';
      INSERT INTO journal_event (run_id, seq, event) VALUES ('${id}', 1, '"late"');
      SELECT pg_sleep(1)`)
    const asleep = `SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()`
    while ((await database.query(asleep)).length === 0);
    expect(await store.readJournal(id)).toMatchObject([{ seq: 1, event: 'late' }])
    await late
    await store.close()
  })

  it('should not depend on how the server sets time zone and isolation', async () => {
    const { pathname } = new URL(database.url)
    const name = pathname.slice(1)
    await database.query(`ALTER DATABASE "${name}" SET timezone TO 'Asia/Tokyo'`)
    await database.query(
      `ALTER DATABASE "${name}" SET default_transaction_isolation TO 'serializable'`,
    )
    const stores = await Promise.all([open(), open(), open()])
    const [store] = stores
    const expiresAt = new Date('2040-01-02T03:04:05.678Z')
    const token = { kind: 'join', clientId: null, label: '', secret: createSecret() } as const
    await store.createToken({ ...token, expiresAt })
    const { id } = await store.createRun(SETTINGS)
    await Promise.all(stores.flatMap((s) => [1, 2, 3, 4].map((n) => s.appendEvent(id, n))))
    await Promise.all(stores.map((s) => s.close()))

    const [row] = await database.query(`SELECT extract(epoch FROM expires_at) AS s FROM token`)
    expect(Number(row?.['s'])).toBeCloseTo(expiresAt.getTime() / 1000, 3)
    const [age] = await database.query(
      `SELECT max(abs(extract(epoch FROM now() - at))) AS s FROM journal_event`,
    )
    expect(Number(age?.['s'])).toBeLessThan(600)
  })

  it('should refuse to change or delete what the audit log and the journal hold', async () => {
    const store = await open()
    const { id } = await store.createRun(SETTINGS)
    await store.appendEvent(id, 'kept')
    await store.audit({ actor: 'coordinator', action: 'test:noted', details: 'kept' })

    for (const table of ['audit', 'journal_event']) {
      for (const change of [
        `UPDATE "${table}" SET at = now()`,
        `DELETE FROM "${table}"`,
        `TRUNCATE "${table}"`,
      ]) {
        await expect(database.query(change), change).rejects.toThrow('append-only')
      }
    }
    expect((await store.readAudit(1))[0]?.details).toBe('kept')
    expect(await store.readJournal(id)).toHaveLength(1)
    await store.close()
  })

  it('should not know the secret of a token it stores', async () => {
    const store = await open()
    const secret = createSecret()
    await store.createToken({ secret, kind: 'join', clientId: null, label: '', expiresAt: null })
    const rows = await database.query('SELECT * FROM token')

    expect(rows).toHaveLength(1)
    expect(JSON.stringify(rows)).not.toContain(secret)
    await store.close()
  })

  it('should say so when no server listens, when the database is missing, when it is cut off', async () => {
    const url = new URL(database.url)
    url.username = 'someone'
    url.password = 'hush'
    url.port = '1'
    await expect(open(url.href)).rejects.toThrow(/ECONNREFUSED.*GRAFT_DATABASE_UNAVAILABLE/)
    await expect(open(url.href)).rejects.not.toThrow('hush')
    await expect(open(`${database.url}_missing`)).rejects.toThrow(
      /does not exist.*GRAFT_DATABASE_UNAVAILABLE/,
    )
    await expect(open('mysql://someone:hush@127.0.0.1/db')).rejects.toThrow(
      /not of the form.*GRAFT_DATABASE_UNAVAILABLE/,
    )
    await expect(open('postgresql://some one:hush@[::z/db')).rejects.not.toThrow('hush')
  })

  it('should give up on a server that accepts connections and never answers', async () => {
    const silent = createServer(() => undefined)
    silent.listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const address = silent.address()
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0

    await expect(open(`postgresql://postgres@127.0.0.1:${port}/graft`)).rejects.toMatchObject({
      code: 'GRAFT_DATABASE_UNAVAILABLE',
    })
    silent.close()
  })

  it('should say so when the server goes away, and go on when it is back', async () => {
    await using proxy = await startProxy(database.url)
    const store = await open(proxy.url)
    const { id } = await store.createRun(SETTINGS)
    await store.appendEvent(id, 'before')

    await proxy.cut()
    for (const call of [
      () => store.appendEvent(id, 'during'),
      () => store.unfinishedRun(),
      () => store.audit({ actor: 'coordinator', action: 'test:noted', details: null }),
    ]) {
      await expect(call()).rejects.toMatchObject({ code: 'GRAFT_DATABASE_UNAVAILABLE' })
    }
    await proxy.mend()
    expect(await store.appendEvent(id, 'after')).toBe(2)
    await store.close()
  })
})

/** Stands between store and server, so that a test can cut the line. */
async function startProxy(target: string) {
  const { hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  let server: Server
  let address = 0

  async function mend(): Promise<void> {
    server = createServer((near) => {
      const far = connect(Number(port), hostname)
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        sockets.add(socket)
        socket.pipe(other)
        socket.on('error', () => other.destroy())
        socket.on('close', () => other.destroy())
      }
    })
    server.listen(address, '127.0.0.1')
    await once(server, 'listening')
    const bound = server.address()
    if (typeof bound === 'object' && bound !== null) address = bound.port
  }

  async function cut(): Promise<void> {
    if (!server.listening) return
    const closed = once(server, 'close')
    server.close()
    for (const socket of sockets) socket.destroy()
    sockets.clear()
    await closed
  }

  await mend()
  const url = new URL(target)
  url.hostname = '127.0.0.1'
  url.port = String(address)
  return { url: url.href, cut, mend, [Symbol.asyncDispose]: cut }
}
