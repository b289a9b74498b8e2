import { createHash } from 'node:crypto'
import { appendFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import { mend } from '../../server/doctor.ts'
import { createInsist } from '../../server/store/insist.ts'
import { openStore } from '../../server/store/open-store.ts'
import { type Bucket, openBucket } from '../../server/store/s3/bucket.ts'
import { openBucketBlobs } from '../../server/store/s3/bucket-blobs.ts'
import { BlobId } from '../../shared/ids.ts'
import { SETTINGS } from '../support/store-settings.ts'
import { useTestBucket } from '../support/test-bucket.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const idOf = (text: string) => BlobId.parse(createHash('sha256').update(text).digest('hex'))
const keyOf = (id: string) => `ward/7/${id.slice(0, 2)}/${id.slice(2)}`

const place = useTestBucket()

describe('openBucketBlobs', () => {
  it('should show one machine what another one stored', async () => {
    const here = await openMachine('here')
    const id = await here.blobs.put(bytes('a model'))
    expect(id).toBe(idOf('a model'))
    await writeFile(join(place.folder.path, 'update'), 'an update')
    await here.blobs.adopt(join(place.folder.path, 'update'), idOf('an update'), {
      isVerified: true,
    })
    expect([...place.s3.objects.keys()].sort()).toEqual(
      [keyOf(id), keyOf(idOf('an update'))].sort(),
    )

    const there = await openMachine('there')
    expect(await there.blobs.has(id)).toBe(true)
    expect(await there.blobs.sizeOf(id)).toBe(7)
    expect(await there.blobs.get(id)).toEqual(Buffer.from('a model'))
    expect(Buffer.from(await there.blobs.read(idOf('an update'), 3, 4)).toString()).toBe('upda')
    expect(await there.blobs.file(idOf('an update'))).toContain(join(place.folder.path, 'there'))
  })

  it('should fetch a blob once, however many ask for it, and read its own copy from then on', async () => {
    const id = await (await openMachine('here')).blobs.put(bytes('a model'))
    const { blobs } = await openMachine('there')
    await Promise.all([1, 2, 3].map(() => blobs.read(id, 0, 7)))
    await blobs.get(id)
    expect(place.s3.requests.filter((request) => request.startsWith('GET ward'))).toHaveLength(1)
  })

  it('should keep a draft in the bucket, and open it elsewhere', async () => {
    const draft = await (await openMachine('here')).blobs.create()
    for (const part of ['a ', 'model']) await draft.write(bytes(part))
    expect([...place.s3.objects.keys()]).toEqual([])
    const id = await draft.keep()
    expect([...place.s3.objects.keys()]).toEqual([keyOf(idOf('a model'))])
    const opened = await (await openMachine('there')).blobs.open(id)
    const part = new Uint8Array(3)
    await opened.read(2, part)
    expect(Buffer.from(part).toString()).toBe('mod')
  })

  it('should have a blob in the bucket before it says so', async () => {
    const { blobs } = await openMachine('here')
    await place.s3.stop()
    let isStored = false
    const storing = blobs.put(bytes('late')).then(() => (isStored = true))
    await delay(300)
    expect(isStored).toBe(false)
    await place.s3.start()
    await storing
    expect([...place.s3.objects.keys()]).toEqual([keyOf(idOf('late'))])
  })

  it.each(['refuse', 'silent', 503] as const)(
    'should wait while the server is down (%s), tell of it once, and go on',
    async (how) => {
      const { blobs, told } = await openMachine('here')
      const id = await blobs.put(bytes('before'))
      if (how === 'refuse') await place.s3.stop()
      else place.s3.setFault(how)
      const file = join(place.folder.path, 'update')
      await writeFile(file, 'x'.repeat(3_000_000))
      const late = idOf('x'.repeat(3_000_000))
      const adopting = blobs.adopt(file, late, { isVerified: true })
      const other = await openMachineSilently('there')
      const reading = other.blobs.get(id)
      // A silent server is found out after a while.
      await delay(how === 'silent' ? 22_000 : 2_500)
      if (how === 'refuse') await place.s3.start()
      else place.s3.setFault('none')
      await adopting
      expect(Buffer.from(await reading).toString()).toBe('before')
      expect(place.s3.objects.get(keyOf(late))).toHaveLength(3_000_000)
      if (how !== 'silent') expect(told).toEqual(['silent', 'answers'])
    },
    60_000,
  )

  it('should give up when it has waited long enough', async () => {
    const { blobs } = await openMachine('here', 0)
    await place.s3.stop()
    await expect(blobs.put(bytes('x'))).rejects.toMatchObject({
      code: 'GRAFT_BUCKET_UNAVAILABLE',
      problem: expect.stringMatching(/^s3:\/\/graft-test\/ward\/7 at .* does not answer/) as string,
    })
  })

  it('should notice an object that has changed, and mend a copy that has', async () => {
    const here = await openMachine('here')
    const id = await here.blobs.put(bytes('a model'))
    await appendFile(await here.blobs.file(id), '!')
    expect(Buffer.from(await here.blobs.get(id)).toString()).toBe('a model')

    place.s3.objects.set(keyOf(id), Buffer.from('a modem'))
    const there = await openMachine('there')
    for (const ask of [() => there.blobs.get(id), () => there.blobs.read(id, 0, 1)]) {
      await expect(ask()).rejects.toMatchObject({ code: 'GRAFT_BLOB_CORRUPT' })
    }
    expect(await readdir(join(place.folder.path, 'there', 'tmp'))).toEqual([])
    // Whoever has it writes it anew.
    await here.blobs.put(bytes('a model'))
    expect(Buffer.from(await there.blobs.get(id)).toString()).toBe('a model')
  })

  it('should refuse a file with other bytes than its name, at the bucket too', async () => {
    const { blobs } = await openMachine('here')
    const file = join(place.folder.path, 'update')
    await writeFile(file, 'other')
    await expect(blobs.adopt(file, idOf('an update'))).rejects.toMatchObject({
      code: 'GRAFT_UPLOAD_CORRUPT',
    })
    await writeFile(file, 'other')
    await expect(blobs.adopt(file, idOf('an update'), { isVerified: true })).rejects.toThrow(
      'XAmzContentSHA256Mismatch',
    )
    expect(place.s3.objects.size).toBe(0)
  })

  it('should remove a blob from bucket and copies, and one that is gone in peace', async () => {
    const { blobs } = await openMachine('here')
    const id = await blobs.put(bytes('a model'))
    await blobs.remove(id)
    await blobs.remove(id)
    expect([...place.s3.objects.keys()]).toEqual([])
    await expect(blobs.get(id)).rejects.toMatchObject({ code: 'GRAFT_BLOB_UNKNOWN' })
  })

  it('should say that a blob is not there', async () => {
    const { blobs } = await openMachine('here')
    const id = idOf('nobody has this')
    expect(await blobs.has(id)).toBe(false)
    for (const ask of [() => blobs.get(id), () => blobs.sizeOf(id), () => blobs.file(id)]) {
      await expect(ask()).rejects.toMatchObject({ code: 'GRAFT_BLOB_UNKNOWN' })
    }
  })
})

describe('openBucket', () => {
  it.each([
    ['another secret', { AWS_SECRET_ACCESS_KEY: 'wrong' }, 'SignatureDoesNotMatch'],
    ['an unknown key', { AWS_ACCESS_KEY_ID: 'nobody' }, 'InvalidAccessKeyId'],
    ['no key', { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '' }, 'There is no key for'],
  ])('should refuse to begin with %s', async (_, env, reason) => {
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value)
    // What else the library would look at on this machine.
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', join(place.folder.path, 'none'))
    vi.stubEnv('AWS_CONFIG_FILE', join(place.folder.path, 'none'))
    await expect(place.open()).rejects.toMatchObject({
      code: 'GRAFT_BUCKET_REFUSED',
      problem: expect.stringContaining(reason) as string,
    })
  })

  it('should refuse a bucket that is not there, and Amazon without a region', async () => {
    await expect(place.open('s3://another')).rejects.toMatchObject({
      code: 'GRAFT_BUCKET_REFUSED',
      problem: expect.stringContaining('NoSuchBucket') as string,
    })
    vi.stubEnv('AWS_REGION', '')
    vi.stubEnv('AWS_CONFIG_FILE', join(place.folder.path, 'none'))
    await expect(
      openBucket({ address: 's3://another', endpoint: undefined }),
    ).rejects.toMatchObject({
      code: 'GRAFT_BUCKET_REFUSED',
      problem: 'AWS_REGION is not set for s3://another.',
    })
    // A server of one's own asks for none.
    await place.open()
  })

  it('should say at once that nobody answers', async () => {
    await place.s3.stop()
    await expect(place.open()).rejects.toMatchObject({ code: 'GRAFT_BUCKET_UNAVAILABLE' })
  })
})

describe('graft doctor --repair with a bucket', () => {
  it('should list the bucket, remove what no run names, and tell what is broken or missing', async () => {
    const home = join(place.folder.path, 'home')
    const store = await openStore({ databaseUrl: undefined, folder: home })
    const { id: run } = await store.createRun(SETTINGS)
    const { blobs } = await openMachine('elsewhere')
    const [whole, changed, lost, orphan] = await Promise.all(
      ['whole', 'changed', 'lost', 'orphan'].map((text) => blobs.put(bytes(text))),
    )
    await store.appendEvent(run, { whole, changed, lost })
    await store.setRunStatus(run, 'finished')
    await store.close()
    place.s3.objects.set(keyOf(changed!), Buffer.from('chanced'))
    place.s3.objects.delete(keyOf(lost!))
    place.s3.objects.set('ward/7/README', Buffer.from('of somebody else'))
    const own = await openBucketBlobs({
      bucket: await place.open(),
      copies: join(home, 'blob-copies'),
      insist: (call) => call(),
    })
    await own.get(whole!)

    const findings = await mend({
      ...{ home, shared: undefined, databaseUrl: undefined },
      bucketPlace: { address: `s3://${place.s3.bucket}/ward/7`, endpoint: place.s3.url },
    })
    expect(findings.map(({ status, detail }) => `${status}: ${detail}`)).toEqual([
      'ok: Whole, and named by a run: 1.',
      'note: Named by no run, removed: 1 (0.0 MB).',
      'note: Copies of what is in the bucket, removed: 1 (0.0 MB).',
      `problem: ${changed} is another file than its name says.`,
      `problem: ${lost} is missing.`,
    ])
    expect([...place.s3.objects.keys()].sort()).toEqual(
      ['ward/7/README', keyOf(whole!), keyOf(changed!)].sort(),
    )
    expect(place.s3.objects.has(keyOf(orphan!))).toBe(false)
  })
})

// Helpers

/** A machine's view of the bucket, with copies of its own. */
async function openMachine(name: string, seconds = 60) {
  return machine(await place.open(), name, seconds)
}

/** The same while the server does not answer: the bucket was opened before. */
async function openMachineSilently(name: string) {
  return machine(place.opened[0]!, name, 60)
}

async function machine(bucket: Bucket, name: string, seconds: number) {
  const told: string[] = []
  const insist = createInsist('GRAFT_BUCKET_UNAVAILABLE', {
    seconds,
    onSilence: () => void told.push('silent'),
    onAnswer: () => void told.push('answers'),
    signal: new AbortController().signal,
  })
  const blobs = await openBucketBlobs({ bucket, copies: join(place.folder.path, name), insist })
  return { blobs, told }
}
