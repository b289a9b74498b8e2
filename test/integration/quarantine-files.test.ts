import { readFile, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { findQuarantined } from '../../server/coordinator/find-quarantined.ts'
import { quarantine } from '../../server/coordinator/quarantine.ts'
import { openStore } from '../../server/store/open-store.ts'
import { type QuarantineFiles, quarantineName } from '../../server/store/quarantine-files.ts'
import { openQuarantineFolder } from '../../server/store/quarantine-folder.ts'
import { createBucketQuarantine } from '../../server/store/s3/bucket-quarantine.ts'
import { GraftError } from '../../shared/errors.ts'
import { BlobId, ClientId, RoundNumber } from '../../shared/ids.ts'
import { SETTINGS } from '../support/store-settings.ts'
import { useTestBucket } from '../support/test-bucket.ts'

/** A file system in memory, on Linux. */
const MEMORY = '/dev/shm'
const isElsewhere = await isAnotherFileSystem(MEMORY)

const ADA = ClientId.parse('ada.of.ward-7')
const ROUND = RoundNumber.parse(3)
const idOf = (text: string) => BlobId.parse(createHash('sha256').update(text).digest('hex'))
const nameOf = (text: string) => quarantineName(ADA, ROUND, idOf(text))

const place = useTestBucket()

describe.each([
  ['a folder', async () => openQuarantineFolder(join(place.folder.path, 'quarantine'))],
  ['a bucket', openInBucket],
] as const)('quarantine in %s', (_, openFiles) => {
  it('should begin empty, and read to others what one has put there', async () => {
    const files = await openFiles()
    expect(await files.list()).toEqual([])
    const path = await write('an update')
    await files.move(path, nameOf('an update'))
    await expect(readFile(path)).rejects.toThrow('ENOENT')
    const elsewhere = await openFiles()
    expect(await elsewhere.list()).toEqual([
      { name: nameOf('an update'), sizeBytes: 9, at: expect.any(Date) as Date },
    ])
    expect(Buffer.from(await elsewhere.read(nameOf('an update'))).toString()).toBe('an update')
  })

  it('should leave a file where it was when it is copied', async () => {
    const files = await openFiles()
    const path = await write('of a round')
    await files.copy(path, nameOf('of a round'))
    expect(await readFile(path, 'utf8')).toBe('of a round')
    expect(await files.list()).toHaveLength(1)
  })

  it('should tell the files of one client from those of another whose name begins alike', async () => {
    const files = await openFiles()
    const other = quarantineName(ClientId.parse('ada.of.ward-7.b'), ROUND, idOf('other'))
    await files.move(await write('own'), nameOf('own'))
    await files.move(await write('other'), other)
    expect((await files.list(ADA)).map(({ name }) => name)).toEqual([nameOf('own')])
    expect((await files.list()).map(({ name }) => name).sort()).toEqual(
      [nameOf('own'), other].sort(),
    )
  })

  it('should remove what is there, and take it for done when it is not', async () => {
    const files = await openFiles()
    await files.move(await write('an update'), nameOf('an update'))
    for (let time = 0; time < 2; time++) await files.remove(nameOf('an update'))
    expect(await files.list()).toEqual([])
    const reading = files.read(nameOf('an update'))
    await expect(reading).rejects.toMatchObject({ code: 'GRAFT_FILE_UNREADABLE' })
  })

  it('should keep the newest 16 of a client, and the reasons of all who are there', async () => {
    const store = await openStore({
      databaseUrl: undefined,
      folder: join(place.folder.path, 'home'),
    })
    try {
      const quarantineFiles = await openFiles()
      const { id: run } = await store.createRun(SETTINGS)
      const setAside = async (text: string) => {
        const blob = { id: idOf(text), sizeBytes: text.length }
        const seconds = { train: 0, attribute: 0, upload: 0 }
        const received = { path: await write(text), round: ROUND, blob, seconds }
        const reason = new GraftError('GRAFT_NOT_FINITE', `${text} is not finite.`)
        await quarantine({ store, quarantineFiles }, { run, client: ADA }, received, reason)
      }
      for (let number = 0; number < 17; number++) await setAside(`update ${number}`)
      const kept = await findQuarantined(store, await openFiles())
      expect(kept).toHaveLength(16)
      expect(kept[0]).toMatchObject({
        ...{ client: ADA, round: ROUND, code: 'GRAFT_NOT_FINITE', sizeBytes: 9 },
        problem: 'update 16 is not finite.',
      })
    } finally {
      await store.close()
    }
  })
})

describe('quarantine in a folder', () => {
  it.skipIf(!isElsewhere)(
    'should take a file from another file system, as that of uploads may be',
    async () => {
      const path = join(MEMORY, `graft-test-${process.pid}.part`)
      await writeFile(path, 'from afar')
      const files = openQuarantineFolder(join(place.folder.path, 'quarantine'))
      await files.move(path, nameOf('from afar'))
      expect(Buffer.from(await files.read(nameOf('from afar'))).toString()).toBe('from afar')
      expect(await files.list()).toHaveLength(1)
      await expect(readFile(path)).rejects.toThrow('ENOENT')
    },
  )
})

describe('quarantine in a bucket', () => {
  it('should lie where no blob is looked for', async () => {
    const files = await openInBucket()
    await files.move(await write('an update'), nameOf('an update'))
    expect([...place.s3.objects.keys()]).toEqual([`ward/7/quarantine/${nameOf('an update')}`])
    expect(await place.opened[0]!.list()).toEqual([])
  })

  it('should take no other bytes than those of the hash in the name', async () => {
    const files = await openInBucket()
    const moving = files.move(await write('other bytes'), nameOf('an update'))
    await expect(moving).rejects.toMatchObject({ code: 'GRAFT_BUCKET_REFUSED' })
    expect(place.s3.objects.size).toBe(0)
  })
})

// Helpers

async function openInBucket(): Promise<QuarantineFiles> {
  return createBucketQuarantine(await place.open(), (call) => call())
}

async function write(text: string): Promise<string> {
  const path = join(place.folder.path, `${text}.part`)
  await writeFile(path, text)
  return path
}

async function isAnotherFileSystem(path: string): Promise<boolean> {
  const [there, here] = await Promise.all(
    [path, tmpdir()].map((place) => stat(place).catch(() => null)),
  )
  return there != null && there.dev !== here?.dev
}
