import { existsSync } from 'node:fs'
import { readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { GatewayHandlers } from '../../../../server/gateway/gateway.ts'
import { createUploads } from '../../../../server/gateway/uploads.ts'
import { GraftError } from '../../../../shared/errors.ts'
import { MAX_WINDOW_BYTES } from '../../../../shared/protocol/messages.ts'
import { createTemporaryFolder } from '../../../support/temporary-folder.ts'
import {
  announce,
  clientId,
  COMMIT,
  noise,
  round,
  UNINSPECTED,
} from '../../../support/test-gateway.ts'

const client = clientId('a')
const commit = (ofRound = 1) => ({ round: round(ofRound), ...COMMIT })
/** The answer where there is no crowd. */
const wanted = (offset: number) => ({ offset, windowBytes: MAX_WINDOW_BYTES })
const chunkOf = (bytes: Uint8Array, offset: number, length = bytes.length) => ({
  round: round(1),
  offset,
  chunk: bytes.subarray(offset, offset + length),
})

describe('uploads', () => {
  it('should hand on the bytes and remove the part', async () => {
    await using room = await openRoom()
    const bytes = noise(100)
    expect(await room.uploads.begin(client, announce(bytes))).toEqual(wanted(0))
    expect(await room.uploads.write(client, chunkOf(bytes, 0, 60))).toEqual(wanted(60))
    expect(await room.uploads.write(client, chunkOf(bytes, 60, 60))).toEqual(wanted(100))
    await room.uploads.commit(client, commit())
    expect(room.delivered).toEqual([bytes])
    expect(await readdir(room.path)).toEqual([])
  })

  it('should write chunks in the order sent, without waiting between them', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 8 }),
        async (lengths) => {
          await using room = await openRoom()
          const bytes = noise(lengths.reduce((sum, length) => sum + length, 0))
          await room.uploads.begin(client, announce(bytes))
          let offset = 0
          const writes = lengths.map((length) => {
            const write = room.uploads.write(client, chunkOf(bytes, offset, length))
            offset += length
            return write
          })
          await Promise.all([...writes, room.uploads.commit(client, commit())])
          expect(room.delivered).toEqual([bytes])
        },
      ),
      { numRuns: 20 },
    )
  })

  it.each([
    ['behind a gap', 50],
    ['that overlaps', 5],
  ])('should answer a chunk %s with the offset wanted', async (_what, offset) => {
    await using room = await openRoom()
    const bytes = noise(100)
    await room.uploads.begin(client, announce(bytes))
    await room.uploads.write(client, chunkOf(bytes, 0, 10))
    expect(await room.uploads.write(client, chunkOf(bytes, offset, 10))).toEqual(wanted(10))
    const [part] = await readdir(room.path)
    expect(new Uint8Array(await readFile(join(room.path, part!)))).toEqual(bytes.slice(0, 10))
  })

  it('should refuse more bytes than announced and drop the upload', async () => {
    await using room = await openRoom()
    const bytes = noise(100)
    await room.uploads.begin(client, { ...announce(bytes), sizeBytes: 99 })
    await expect(room.uploads.write(client, chunkOf(bytes, 0))).rejects.toMatchObject({
      code: 'GRAFT_UPLOAD_TOO_LARGE',
    })
    expect(await readdir(room.path)).toEqual([])
  })

  it('should refuse bytes with another hash, remove them and start from 0 again', async () => {
    await using room = await openRoom()
    const bytes = noise(100)
    await room.uploads.begin(client, announce(bytes))
    await room.uploads.write(client, chunkOf(noise(100, 2), 0))
    await expect(room.uploads.commit(client, commit())).rejects.toMatchObject({
      code: 'GRAFT_UPLOAD_CORRUPT',
    })
    expect(room.delivered).toEqual([])
    expect(await readdir(room.path)).toEqual([])
    expect(await room.uploads.begin(client, announce(bytes))).toEqual(wanted(0))
  })

  it('should refuse a commit before all bytes are here, and keep them', async () => {
    await using room = await openRoom()
    const bytes = noise(100)
    await room.uploads.begin(client, announce(bytes))
    await room.uploads.write(client, chunkOf(bytes, 0, 40))
    await expect(room.uploads.commit(client, commit())).rejects.toMatchObject({
      code: 'GRAFT_UPLOAD_UNKNOWN',
    })
    expect(await room.uploads.begin(client, announce(bytes))).toEqual(wanted(40))
  })

  it('should answer a second commit of an update whose first answer was lost', async () => {
    await using room = await openRoom()
    const bytes = noise(10)
    await send(room, bytes)
    await room.uploads.commit(client, commit())
    expect(await room.uploads.begin(client, announce(bytes))).toEqual(wanted(10))
    await room.uploads.commit(client, commit())
    expect(room.delivered).toHaveLength(1)
  })

  it('should take the same bytes again once the run is over', async () => {
    await using room = await openRoom()
    await send(room, noise(10))
    await room.uploads.discard(null)
    await send(room, noise(10))
    expect(room.delivered).toHaveLength(2)
  })

  it.each([
    ['a chunk', (room: Room) => room.uploads.write(client, chunkOf(noise(3), 0))],
    ['a commit', (room: Room) => room.uploads.commit(client, commit())],
  ])('should refuse %s without an upload, or for another round', async (_what, act) => {
    await using room = await openRoom()
    await expect(act(room)).rejects.toMatchObject({ code: 'GRAFT_UPLOAD_UNKNOWN' })
    await room.uploads.begin(client, announce(noise(3), 2))
    await expect(act(room)).rejects.toMatchObject({ code: 'GRAFT_UPLOAD_UNKNOWN' })
  })

  it('should keep one upload per client: another one replaces it', async () => {
    await using room = await openRoom()
    const other = clientId('a.1')
    for (const [who, bytes] of [
      [client, noise(10)],
      [other, noise(10)],
    ] as const) {
      await room.uploads.begin(who, announce(bytes))
      await room.uploads.write(who, chunkOf(bytes, 0, 5))
    }
    await room.uploads.begin(client, announce(noise(10, 2)))
    await room.uploads.write(client, chunkOf(noise(10, 2), 0, 5))
    expect((await readdir(room.path)).map((file) => file.split('.1.')[0]).sort()).toEqual([
      'a',
      'a',
    ])
    expect(await room.uploads.begin(other, announce(noise(10)))).toEqual(wanted(5))
  })

  it('should start again over a part that is longer than announced', async () => {
    await using room = await openRoom()
    const bytes = noise(10)
    await writeFile(join(room.path, `a.1.${announce(bytes).sha256}.part`), noise(11))
    expect(await room.uploads.begin(client, announce(bytes))).toEqual(wanted(0))
  })

  it.each([0, 4])(
    'should show the inspection every byte once, in order, of which %i were there before',
    async (left) => {
      const shown: number[] = []
      const inspection = { ...UNINSPECTED, add: (piece: Uint8Array) => void shown.push(...piece) }
      await using room = await openRoom({ checkUpdate: () => inspection })
      const bytes = noise(10)
      const part = join(room.path, `a.1.${announce(bytes).sha256}.part`)
      if (left > 0) await writeFile(part, bytes.subarray(0, left))
      expect(await room.uploads.begin(client, announce(bytes))).toEqual(wanted(left))
      await room.uploads.write(client, chunkOf(bytes, left, 3))
      await room.uploads.write(client, chunkOf(bytes, left, 3))
      await room.uploads.write(client, chunkOf(bytes, left + 3))
      await room.uploads.commit(client, commit())
      expect(shown).toEqual([...bytes])
      expect(room.delivered).toEqual([bytes])
    },
  )

  it('should go on with an open upload after it was idle, as when it closes and opens again', async () => {
    await using room = await openRoom()
    const bytes = noise(10)
    await room.uploads.begin(client, announce(bytes))
    await room.uploads.write(client, chunkOf(bytes, 0, 5))
    await room.uploads.idle()
    await room.uploads.write(client, chunkOf(bytes, 5))
    await room.uploads.commit(client, commit())
    expect(room.delivered).toEqual([bytes])
  })

  it('should divide what may be under way among the uploads, and give it back', async () => {
    await using room = await openRoom()
    const clients = Array.from({ length: 32 }, (_, i) => clientId(`c${i}`))
    const bytes = noise(10)
    for (const each of clients) await room.uploads.begin(each, announce(bytes))
    expect(await room.uploads.write(clients[0]!, chunkOf(bytes, 0, 5))).toEqual({
      offset: 5,
      windowBytes: 2 << 20,
    })
    for (const each of clients.slice(1)) {
      await room.uploads.write(each, chunkOf(bytes, 0))
      await room.uploads.commit(each, commit())
    }
    expect(await room.uploads.write(clients[0]!, chunkOf(bytes, 5))).toEqual(wanted(10))
  })

  it('should ask before it takes anything', async () => {
    await using room = await openRoom({
      checkUpdate: () => {
        throw new GraftError('GRAFT_ROUND_STALE', 'Round 1 is over.')
      },
    })
    await expect(room.uploads.begin(client, announce(noise(3)))).rejects.toMatchObject({
      code: 'GRAFT_ROUND_STALE',
    })
    expect(await readdir(room.path)).toEqual([])
  })

  it.skipIf(!existsSync('/dev/full'))(
    'should say that the disk is full, without the path, and remove the part (needs /dev/full)',
    async () => {
      await using room = await openRoom()
      const bytes = noise(10)
      await room.uploads.begin(client, announce(bytes))
      await symlink('/dev/full', join(room.path, `a.1.${announce(bytes).sha256}.part`))
      await expect(room.uploads.write(client, chunkOf(bytes, 0))).rejects.toMatchObject({
        code: 'GRAFT_DISK_FULL',
        message: expect.not.stringContaining(room.path),
      })
      expect(await readdir(room.path)).toEqual([])
    },
  )

  it('should remove the parts of rounds that are over, and no other file', async () => {
    await using room = await openRoom()
    const hash = announce(noise(1)).sha256
    const names = [`a.1.${hash}.part`, `b.2.${hash}.part`, `b.x.3.${hash}.part`, 'notes.txt']
    for (const name of names) await writeFile(join(room.path, name), 'x')
    await room.uploads.discard(round(2))
    expect((await readdir(room.path)).sort()).toEqual([`b.x.3.${hash}.part`, 'notes.txt'])
    await room.uploads.discard(null)
    expect(await readdir(room.path)).toEqual(['notes.txt'])
  })
})

// Helpers

type Room = Awaited<ReturnType<typeof openRoom>>

async function openRoom(overrides: Partial<GatewayHandlers> = {}) {
  const folder = await createTemporaryFolder()
  const delivered: Uint8Array[] = []
  const uploads = createUploads(folder.path, {
    checkUpdate: () => UNINSPECTED,
    onUploadProgress: () => undefined,
    onUpdate: async (_client, { path }) => {
      delivered.push(new Uint8Array(await readFile(path)))
    },
    ...overrides,
  })
  return {
    path: folder.path,
    uploads,
    delivered,
    async [Symbol.asyncDispose]() {
      await uploads.idle()
      await folder[Symbol.asyncDispose]()
    },
  }
}

async function send({ uploads }: Room, bytes: Uint8Array): Promise<void> {
  await uploads.begin(client, announce(bytes))
  await uploads.write(client, chunkOf(bytes, 0))
  await uploads.commit(client, commit())
}
