import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openPostgresDatabase } from '../../server/store/postgres-database.ts'
import { openStore } from '../../server/store/open-store.ts'
import type { Leadership, Store } from '../../server/store/store.ts'
import { BlobId, RoundNumber, type RunId } from '../../shared/ids.ts'
import { createTestDatabase, postgresMissing, type TestDatabase } from '../support/database.ts'
import { SETTINGS } from '../support/store-settings.ts'

const missing = await postgresMissing()

describe.skipIf(missing !== null)('leadership on PostgreSQL', () => {
  let database: TestDatabase
  let first: Store
  let second: Store
  const stop = new AbortController()

  beforeEach(async () => {
    database = await createTestDatabase()
    const open = () => openStore({ databaseUrl: database.url, folder: '' })
    ;[first, second] = await Promise.all([open(), open()])
  })

  afterEach(async () => {
    await Promise.all([first.close(), second.close()])
    await database[Symbol.asyncDispose]()
  })

  const lead = (store: Store, holder: string) =>
    store.lead({ holder, isStandby: false, signal: stop.signal })

  it('should be of one store at a time, and name who has it', async () => {
    const leadership = await lead(first, 'ada')
    await expect(lead(second, 'bob')).rejects.toMatchObject({
      code: 'GRAFT_LEADERSHIP_TAKEN',
      message: expect.stringContaining('The coordinator ada leads'),
    })
    await leadership.release()
    await (await lead(second, 'bob')).release()
  })

  it('should go to a standby when the leader ends, whose writes are then refused', async () => {
    const before = await lead(first, 'ada')
    const { id } = await first.createRun(SETTINGS)
    await first.appendEvent(id, 'of ada')
    let standby!: Promise<Leadership>
    const leader = await new Promise<string>((resolve) => {
      standby = second.lead({
        holder: 'bob',
        isStandby: true,
        onWait: resolve,
        signal: stop.signal,
      })
    })
    expect(leader).toBe('The coordinator ada')
    await before.release()
    const after = await standby

    for (const write of writesTo(first, id)) {
      await expect(write()).rejects.toMatchObject({
        code: 'GRAFT_LEADERSHIP_LOST',
        message: expect.stringContaining('The coordinator bob leads'),
      })
    }
    expect(await first.lists.models({ run: id, limit: 1 })).toEqual([])
    expect((await first.readJournal(id)).map(({ event }) => event)).toEqual(['of ada'])
    expect((await first.unfinishedRun())?.id).toBe(id)
    for (const write of writesTo(second, id)) await write()
    await after.release()
  })

  it('should be kept through a broken connection while nobody else has led', async () => {
    const leadership = await lead(first, 'ada')
    const { id } = await first.createRun(SETTINGS)
    const [before] = await holdersOfLock()
    await endConnection(before!)
    // The server ends a connection when it comes to it: until then the old one holds the lock.
    const others = async () => (await holdersOfLock()).filter((pid) => pid !== before)
    await expect.poll(others).toHaveLength(1)
    await expect(lead(second, 'bob')).rejects.toMatchObject({ code: 'GRAFT_LEADERSHIP_TAKEN' })
    await first.appendEvent(id, 'still of ada')
    expect(leadership.lost.aborted).toBe(false)
    await leadership.release()
  })

  it('should be lost when another led while the connection was broken', async () => {
    const { lost, release } = await lead(first, 'ada')
    await database.query(`UPDATE leadership SET epoch = epoch + 1, holder = 'bob'`)
    await endConnection((await holdersOfLock())[0]!)
    await expect.poll(() => lost.aborted).toBe(true)
    expect(lost.reason).toMatchObject({ code: 'GRAFT_LEADERSHIP_LOST' })
    // It does not keep the lock either.
    await expect.poll(holdersOfLock).toEqual([])
    await release()
  })

  it('should begin behind the writes of the leader before', async () => {
    const before = await lead(first, 'ada')
    const { id } = await first.createRun(SETTINGS)
    const other = new pg.Client({ connectionString: database.url })
    await other.connect()
    await other.query('BEGIN')
    await other.query('SELECT 1 FROM run FOR UPDATE')
    const late = first.appendEvent(id, 'of ada')
    await expect.poll(waitingForRows).toBe(1)
    await before.release()
    const seen = lead(second, 'bob').then(async (after) => {
      const journal = await second.readJournal(id)
      await after.release()
      return journal.map(({ event }) => event)
    })
    await expect.poll(waitingForRows).toBe(2)
    await other.query('COMMIT')
    await other.end()
    expect(await late).toBe(1)
    expect(await seen).toEqual(['of ada'])
  })

  it('should be taken from a process that hangs, not from one that gives signs of life', async () => {
    const hung = await openPostgresDatabase(database.url)
    const other = await openPostgresDatabase(database.url)
    const lock = (await hung.tryLock())!
    // A busy machine gives the signs late.
    await delay(8_000)
    expect(await other.breakLock(7)).toBe(false)
    await withoutSignsOfLife(async () => {
      await delay(2_000)
      expect(await other.breakLock(7)).toBe(false)
      await expect.poll(() => other.breakLock(3), { timeout: 10_000 }).toBe(true)
    })
    await lock.broken
    const taken = await other.tryLock()
    expect(taken).not.toBeNull()
    await taken?.release()
    await Promise.all([hung.close(), other.close()])
  }, 60_000)

  it('should let a standby stop waiting', async () => {
    const leadership = await lead(first, 'ada')
    const enough = new AbortController()
    const standby = second.lead({ holder: 'bob', isStandby: true, signal: enough.signal })
    enough.abort(new Error('Ctrl-C'))
    await expect(standby).rejects.toThrow()
    await leadership.release()
  })

  async function holdersOfLock(): Promise<number[]> {
    const rows = await database.query(
      `SELECT pid FROM pg_locks JOIN pg_database d ON d.oid = database
       WHERE locktype = 'advisory' AND granted AND datname = current_database()`,
    )
    return rows.map(({ pid }) => Number(pid))
  }

  async function endConnection(pid: number): Promise<void> {
    await database.query(`SELECT pg_terminate_backend(${pid})`)
  }

  async function waitingForRows(): Promise<number> {
    const rows = await database.query(
      `SELECT 1 FROM pg_stat_activity
       WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    )
    return rows.length
  }
})

const BLOB = BlobId.parse('a'.repeat(64))

/** Leaders say nothing any more, as when their processes hang. */
async function withoutSignsOfLife(work: () => Promise<void>): Promise<void> {
  const proto = pg.Client.prototype as unknown as { query: (...args: unknown[]) => unknown }
  const { query } = proto
  proto.query = function (this: unknown, ...args) {
    const isSign = String(args[0]).startsWith('SELECT 1 AS "leader is alive"')
    return isSign ? Promise.resolve() : query.apply(this, args)
  }
  try {
    await work()
  } finally {
    proto.query = query
  }
}

/** Everything that only a leader may write. */
function writesTo(store: Store, run: RunId): (() => Promise<unknown>)[] {
  const model = { run, round: RoundNumber.parse(1), blob: BLOB, report: {}, ledger: null }
  return [
    () => store.appendEvent(run, 'late'),
    () => store.saveModel(model),
    () => store.createRun({ ...SETTINGS, seed: 8 }),
    () => store.setRunStatus(run, 'finished'),
  ]
}
