import { afterEach, beforeEach, vi } from 'vitest'
import { type Bucket, openBucket } from '../../server/store/s3/bucket.ts'
import { type S3Server, startS3Server } from './s3-server.ts'
import { createTemporaryFolder, type TemporaryFolder } from './temporary-folder.ts'

/** What each test of a file has for itself. */
export interface TestBucket {
  readonly s3: S3Server
  readonly folder: TemporaryFolder
  /** Buckets that were opened in this test; closed at its end. */
  readonly opened: readonly Bucket[]
  /** @param address `PREFIX` is `ward/7` when not given */
  open(address?: string): Promise<Bucket>
}

/** Call it once in a file: every test gets an S3 server, the keys to it in the environment, and a folder. */
export function useTestBucket(): TestBucket {
  let s3: S3Server
  let folder: TemporaryFolder
  const opened: Bucket[] = []

  beforeEach(async () => {
    s3 = await startS3Server()
    folder = await createTemporaryFolder()
    for (const [name, value] of Object.entries(s3.env)) vi.stubEnv(name, value)
  })
  afterEach(async () => {
    for (const bucket of opened.splice(0)) bucket.close()
    vi.unstubAllEnvs()
    await s3[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })

  return {
    get s3() {
      return s3
    },
    get folder() {
      return folder
    },
    opened,
    async open(address = `s3://${s3.bucket}/ward/7`) {
      const bucket = await openBucket({ address, endpoint: s3.url })
      opened.push(bucket)
      return bucket
    },
  }
}
