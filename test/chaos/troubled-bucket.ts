import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { startS3Server } from '../support/s3-server.ts'
import type { BucketFault } from './plan.ts'
import { startTrouble } from './trouble.ts'

const PREFIX = 'chaos'
const QUARANTINE = 'quarantine/'
const BUSY = 503

export interface TroubledBucket extends AsyncDisposable {
  /** The coordinator's words and environment for it. */
  readonly words: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Times that it was away, and that it wanted to be asked again. */
  readonly counts: { away: number; busy: number }
  /** Writes what is in it as it would lie in a coordinator's folder. */
  save(home: string): Promise<void>
}

/** Where blobs and refused uploads are, in the place of a folder; the planned faults come one after the other, again and again. */
export async function startTroubledBucket(faults: readonly BucketFault[]): Promise<TroubledBucket> {
  const s3 = await startS3Server()
  const counts = { away: 0, busy: 0 }
  const trouble = startTrouble(faults, async ({ how, forMs }, signal) => {
    counts[how]++
    if (how === 'away') await s3.stop()
    else s3.setFault(BUSY)
    await delay(forMs, undefined, { signal })
    if (how === 'away') await s3.start()
    else s3.setFault('none')
  })
  return {
    words: ['--blobs', `s3://${s3.bucket}/${PREFIX}`],
    env: s3.env,
    counts,
    async save(home) {
      for (const [key, bytes] of s3.objects) {
        const name = key.slice(PREFIX.length + 1)
        const path = join(home, name.startsWith(QUARANTINE) ? '' : 'blobs', name)
        await mkdir(dirname(path), { recursive: true })
        await writeFile(path, bytes)
      }
    },
    async [Symbol.asyncDispose]() {
      await trouble[Symbol.asyncDispose]()
      await s3[Symbol.asyncDispose]()
    },
  }
}
