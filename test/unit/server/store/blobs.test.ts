import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { access, appendFile, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type FolderBlobs, openBlobs } from '../../../../server/store/blobs.ts'
import { BlobId } from '../../../../shared/ids.ts'
import { createTemporaryFolder, type TemporaryFolder } from '../../../support/temporary-folder.ts'

const ABC = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
const bytesOf = (text: string) => new TextEncoder().encode(text)

describe('openBlobs', () => {
  let root: TemporaryFolder
  let folder: string
  let blobs: FolderBlobs

  beforeEach(async () => {
    root = await createTemporaryFolder()
    folder = join(root.path, 'blobs')
    blobs = await openBlobs(folder)
  })

  afterEach(() => root[Symbol.asyncDispose]())

  it('should name a blob by its SHA-256 and keep it under its first two digits', async () => {
    const id = await blobs.put(bytesOf('abc'))

    expect(id).toBe(ABC)
    expect(blobs.pathOf(id)).toBe(join(folder, ABC.slice(0, 2), ABC.slice(2)))
    expect(await readFile(blobs.pathOf(id), 'utf8')).toBe('abc')
    expect(await blobs.has(id)).toBe(true)
    expect(await blobs.sizeOf(id)).toBe(3)
    expect(await drafts()).toEqual([])
  })

  it('should still have its blobs when it is opened again', async () => {
    const id = await blobs.put(bytesOf('abc'))

    expect(await (await openBlobs(folder)).get(id)).toEqual(Buffer.from('abc'))
  })

  it('should store equal bytes once', async () => {
    const id = await blobs.put(bytesOf('abc'))
    const before = await stat(blobs.pathOf(id))
    await blobs.put(bytesOf('abc'))

    expect((await stat(blobs.pathOf(id))).ino).toBe(before.ino)
  })

  it('should survive the same bytes being put many times at once', async () => {
    const ids = await Promise.all(Array.from({ length: 10 }, () => blobs.put(bytesOf('abc'))))

    expect(new Set(ids)).toEqual(new Set([ABC]))
    expect(await blobs.get(ids[0]!)).toEqual(Buffer.from('abc'))
    expect(await drafts()).toEqual([])
  })

  it('should refuse a blob it does not have', async () => {
    const id = BlobId.parse('0'.repeat(64))

    expect(await blobs.has(id)).toBe(false)
    for (const ask of [() => blobs.get(id), () => blobs.read(id, 0, 1), () => blobs.sizeOf(id)]) {
      await expect(ask()).rejects.toMatchObject({ code: 'GRAFT_BLOB_UNKNOWN' })
    }
  })

  it('should refuse a blob that has changed on disk, and mend it when put again', async () => {
    const id = await blobs.put(bytesOf('abc'))
    await writeFile(blobs.pathOf(id), 'abd')

    await expect(blobs.get(id)).rejects.toMatchObject({ code: 'GRAFT_BLOB_CORRUPT' })
    await blobs.put(bytesOf('abc'))
    expect(await blobs.get(id)).toEqual(Buffer.from('abc'))
  })

  it('should read any range as a slice of the whole', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 50 }),
        fc.nat({ max: 60 }),
        fc.nat({ max: 60 }),
        async (bytes, offset, length) => {
          const id = await blobs.put(bytes)
          const part = await blobs.read(id, offset, length)
          expect([...part]).toEqual([...bytes.subarray(offset, offset + length)])
        },
      ),
      { numRuns: 40 },
    )
  })

  describe('open', () => {
    it('should read any part into the place it is given', async () => {
      const opened = await blobs.open(await blobs.put(bytesOf('abcdef')))
      const target = new Uint8Array(5).fill(bytesOf('-')[0]!)
      await opened.read(2, target.subarray(1, 4))
      expect(opened.sizeBytes).toBe(6)
      expect(Buffer.from(target).toString()).toBe('-cde-')
      await expect(opened.read(4, new Uint8Array(3))).rejects.toThrow(RangeError)
    })

    it('should refuse what has changed on disk, however large, and what is not there', async () => {
      const id = await blobs.put(new Uint8Array(3_000_000))
      await appendFile(blobs.pathOf(id), 'x')
      await expect(blobs.open(id)).rejects.toMatchObject({ code: 'GRAFT_BLOB_CORRUPT' })
      await rm(blobs.pathOf(id))
      await expect(blobs.open(id)).rejects.toMatchObject({ code: 'GRAFT_BLOB_UNKNOWN' })
    })
  })

  describe('create', () => {
    it('should store what was written, as if it had been put', async () => {
      const draft = await blobs.create()
      for (const part of ['a', 'b', 'c']) await draft.write(bytesOf(part))
      expect(await blobs.has(BlobId.parse(ABC))).toBe(false)
      expect(await draft.keep()).toBe(ABC)
      await draft.discard()
      expect(await blobs.get(BlobId.parse(ABC))).toEqual(Buffer.from('abc'))
      expect(await drafts()).toEqual([])
    })

    it('should mend a blob that has changed, and leave nothing when it is discarded', async () => {
      await writeFile(blobs.pathOf(await blobs.put(bytesOf('abc'))), 'abd')
      const [draft, other] = [await blobs.create(), await blobs.create()]
      await draft.write(bytesOf('abc'))
      await other.write(bytesOf('half'))
      await other.discard()
      expect(await blobs.get(await draft.keep())).toEqual(Buffer.from('abc'))
      expect(await drafts()).toEqual([])
    })
  })

  describe('adopt', () => {
    it('should move a file in', async () => {
      const path = await aFile('abc')
      await blobs.adopt(path, BlobId.parse(ABC))

      expect(await blobs.get(BlobId.parse(ABC))).toEqual(Buffer.from('abc'))
      await expect(access(path)).rejects.toThrow('ENOENT')
    })

    it('should remove a file whose blob is stored already', async () => {
      await blobs.put(bytesOf('abc'))
      const path = await aFile('abc')
      await blobs.adopt(path, BlobId.parse(ABC))

      await expect(access(path)).rejects.toThrow('ENOENT')
      expect(await blobs.has(BlobId.parse(ABC))).toBe(true)
    })

    it('should remove a file that is not what was announced, and store nothing', async () => {
      const path = await aFile('abd')

      await expect(blobs.adopt(path, BlobId.parse(ABC))).rejects.toMatchObject({
        code: 'GRAFT_UPLOAD_CORRUPT',
      })
      await expect(access(path)).rejects.toThrow('ENOENT')
      expect(await blobs.has(BlobId.parse(ABC))).toBe(false)
    })

    it('should say so when there is no such file', async () => {
      await expect(
        blobs.adopt(join(root.path, 'nothing'), BlobId.parse(ABC)),
      ).rejects.toMatchObject({ code: 'GRAFT_FILE_UNREADABLE' })
    })
  })

  it('should remove what a crash left half-written, and only that', async () => {
    const id = await blobs.put(bytesOf('abc'))
    await writeFile(join(folder, 'tmp', 'left-over'), 'half')
    const again = await openBlobs(folder)

    expect(await drafts()).toEqual([])
    expect(await again.has(id)).toBe(true)
  })

  const small = mountSmallDisk()
  describe.skipIf(small.reason)(`on a full disk${small.reason ?? ''}`, () => {
    it('should say so, leave nothing, and take what still fits', async () => {
      const mount = join(root.path, 'small')
      await mkdir(mount)
      small.mount(mount)
      try {
        const full = await openBlobs(join(mount, 'blobs'))
        const large = new Uint8Array(2 ** 21)

        await expect(full.put(large)).rejects.toMatchObject({ code: 'GRAFT_DISK_FULL' })
        expect(await readdir(join(mount, 'blobs'))).toEqual(['tmp'])
        expect(await readdir(join(mount, 'blobs', 'tmp'))).toEqual([])

        const path = await aFile('x'.repeat(2 ** 21))
        const id = BlobId.parse(
          createHash('sha256')
            .update(await readFile(path))
            .digest('hex'),
        )
        await expect(full.adopt(path, id)).rejects.toMatchObject({ code: 'GRAFT_DISK_FULL' })
        expect(await readdir(join(mount, 'blobs', 'tmp'))).toEqual([])
        // The upload lies on another disk: it is still there, to be adopted when there is space.
        await access(path)

        // Another file system than the upload's: copied, then removed.
        await full.adopt(await aFile('abc'), BlobId.parse(ABC))
        expect(await full.get(BlobId.parse(ABC))).toEqual(Buffer.from('abc'))
      } finally {
        execFileSync('umount', [mount])
      }
    })
  })

  async function aFile(content: string): Promise<string> {
    const path = join(root.path, 'upload')
    await writeFile(path, content)
    return path
  }

  const drafts = () => readdir(join(folder, 'tmp'))
})

/** Mounts a file system of one mebibyte, where this process may: only a privileged one on Linux. */
function mountSmallDisk() {
  const mount = (path: string) => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', path], { stdio: 'pipe' })
  }
  const probe = mkdtempSync(join(tmpdir(), 'graft-mount-'))
  try {
    mount(probe)
    execFileSync('umount', [probe])
    return { mount, reason: null }
  } catch {
    return { mount, reason: ' (skipped: this process may not mount a small disk)' }
  } finally {
    rmdirSync(probe)
  }
}
