import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { mend } from '../../server/doctor.ts'
import { openBlobs } from '../../server/store/blobs.ts'
import { parseJournal } from '../../server/coordinator/journal.ts'
import { startTestEngine } from '../support/engine.ts'
import { createTemporaryFolder } from '../support/temporary-folder.ts'
import { startFederation } from '../support/test-federation.ts'

beforeAll(startTestEngine)

type Federation = Awaited<ReturnType<typeof startFederation>>

describe('updates of rounds that are over', () => {
  it('should be let go of but for those of the newest rounds, and the doctor should know', async () => {
    await using home = await createTemporaryFolder()
    {
      await using federation = await startFederation({
        home: home.path,
        settings: { rounds: 4 },
        keepUpdates: 2,
      })
      await Promise.all([federation.node(0), federation.node(1)])
      await federation.reports
      expect(await roundsThere(federation, home.path)).toEqual([3, 4])
      const run = await runOf(federation)
      const models = await federation.store.lists.models({ run, limit: 10 })
      expect(models).toHaveLength(4)
    }
    const findings = await mendAt(home.path)
    expect(findings.map(({ status }) => status)).toEqual(['ok'])
  })

  it('should stay where another run has the same', async () => {
    await using home = await createTemporaryFolder()
    for (const rounds of [1, 3]) {
      await using federation = await startFederation({
        home: home.path,
        settings: { rounds },
        keepUpdates: 1,
      })
      await Promise.all([federation.node(0), federation.node(1)])
      await federation.reports
    }
    const findings = await mendAt(home.path)
    expect(findings.filter(({ status }) => status === 'problem')).toEqual([])
  })
})

describe('a back-up of the home folder', () => {
  it('should go on with the round that it was made in, when all else is lost', async () => {
    await using home = await createTemporaryFolder()
    await using backup = await createTemporaryFolder()
    const settings = { rounds: 3 }
    {
      await using first = await startFederation({ home: home.path, settings, keepUpdates: 1 })
      const end = new AbortController()
      const nodes = [0, 1].map((index) => first.node(index, { signal: end.signal }))
      const gone = Promise.allSettled(nodes)
      await first.shown('round 2: collecting')
      first.stop(new Error('to be copied'))
      await expect(first.reports).rejects.toThrow('to be copied')
      end.abort(new Error('enough'))
      await gone
    }
    await cp(home.path, backup.path, { recursive: true })
    await rm(home.path, { recursive: true })
    await cp(backup.path, home.path, { recursive: true })

    const findings = await mendAt(home.path)
    expect(findings.filter(({ status }) => status === 'problem')).toEqual([])
    await using second = await startFederation({ home: home.path, settings, keepUpdates: 1 })
    await Promise.all([second.node(0), second.node(1)])
    expect((await second.reports).map(({ round }) => round)).toEqual([1, 2, 3])
    expect(await second.store.listRuns()).toHaveLength(1)
    expect(await roundsThere(second, home.path)).toEqual([3])
    // Noted once a round, not again by each process.
    const noted = await second.store.readAuditOf('updates:released', 10)
    expect(noted.map(({ details }) => (details as { upTo: number }).upTo)).toEqual([2, 1])
  })
})

// Helpers

const mendAt = (home: string) =>
  mend({ home, shared: undefined, bucketPlace: null, databaseUrl: undefined })

const runOf = async ({ store }: Federation) => (await store.listRuns()).at(-1)!.id

/** Rounds of which every update is on disk; one of which only some are fails. */
async function roundsThere(federation: Federation, home: string): Promise<number[]> {
  const blobs = await openBlobs(join(home, 'blobs'))
  const there = new Map<number, Set<boolean>>()
  for (const { event } of parseJournal(
    await federation.store.readJournal(await runOf(federation)),
  )) {
    if (event.type !== 'update-received') continue
    const found = there.get(event.round) ?? new Set()
    there.set(event.round, found.add(await blobs.has(event.update.blob)))
  }
  for (const [round, found] of there) expect(found.size, `round ${round}`).toBe(1)
  return [...there].filter(([, found]) => found.has(true)).map(([round]) => round)
}
