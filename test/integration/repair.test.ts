import { appendFile, mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { mend } from '../../server/doctor.ts'
import { openBlobs } from '../../server/store/blobs.ts'
import { openStore } from '../../server/store/open-store.ts'
import { RoundNumber } from '../../shared/ids.ts'
import { SETTINGS } from '../support/store-settings.ts'
import { createTemporaryFolder } from '../support/temporary-folder.ts'

const bytes = (text: string) => new TextEncoder().encode(text)

describe('graft doctor --repair', () => {
  it('should remove what no run names, keep what one names, and tell what is broken', async () => {
    await using home = await createHome()
    const { store, blobs, run } = home
    const update = await blobs.put(bytes('an update'))
    const model = await blobs.put(bytes('a model'))
    const ofStrategy = await blobs.put(bytes('what a strategy remembers'))
    const [lost, changed] = [await blobs.put(bytes('lost')), await blobs.put(bytes('changed'))]
    const orphan = await blobs.put(bytes('of nobody'))
    await store.appendEvent(run, {
      type: 'update-received',
      update: { blob: update },
      lost,
      changed,
    })
    await store.appendEvent(run, { publication: { blob: model, state: ofStrategy } })
    await store.saveModel({
      run,
      round: RoundNumber.parse(1),
      blob: model,
      report: {},
      ledger: null,
    })
    await store.setRunStatus(run, 'finished')
    await store.close()
    await rm(blobs.pathOf(lost))
    await appendFile(blobs.pathOf(changed), '!')
    await writeFile(join(home.path, 'blobs', 'tmp', 'draft'), 'half of it')
    await home.beginUpload()

    const findings = await mend({
      home: home.path,
      shared: undefined,
      databaseUrl: undefined,
      bucketPlace: null,
    })
    expect(findings.map(({ status, detail }) => `${status}: ${detail}`)).toEqual([
      'ok: Whole, and named by a run: 3.',
      'note: Named by no run, removed: 1 (0.0 MB).',
      'note: Left by broken-off writes and uploads, removed: 2 (0.0 MB).',
      `problem: ${changed} is another file than its name says.`,
      `problem: ${lost} is missing.`,
    ])
    expect(await blobs.has(orphan)).toBe(false)
    for (const id of [update, model, ofStrategy]) expect(await blobs.has(id)).toBe(true)
    expect(await readdir(join(home.path, 'uploads'))).toEqual([])
  })

  it('should keep uploads that an unfinished run goes on with', async () => {
    await using home = await createHome()
    await home.beginUpload()
    await home.store.close()
    await mend({ home: home.path, shared: undefined, databaseUrl: undefined, bucketPlace: null })
    expect(await readdir(join(home.path, 'uploads'))).toHaveLength(1)
  })

  it('should refuse while a coordinator has the folder', async () => {
    await using home = await createHome()
    await expect(
      mend({ home: home.path, shared: undefined, databaseUrl: undefined, bucketPlace: null }),
    ).rejects.toMatchObject({ code: 'GRAFT_DATABASE_BUSY' })
    await home.store.close()
  })
})

/** A coordinator's folder with a run that is not finished. */
async function createHome() {
  const folder = await createTemporaryFolder()
  const { path } = folder
  const store = await openStore({ databaseUrl: undefined, folder: path })
  const blobs = await openBlobs(join(path, 'blobs'))
  const { id: run } = await store.createRun(SETTINGS)
  return {
    path,
    store,
    blobs,
    run,
    async beginUpload() {
      await mkdir(join(path, 'uploads'), { recursive: true })
      await writeFile(join(path, 'uploads', 'client-0.part'), 'the first bytes')
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}
