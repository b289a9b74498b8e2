import { rm, stat } from 'node:fs/promises'
import { orGraftError } from '../../../shared/errors.ts'
import type { Insist } from '../insist.ts'
import type { QuarantineFiles } from '../quarantine-files.ts'
import type { Bucket } from './bucket.ts'

/** In the bucket, below `PREFIX/quarantine/`: whoever leads next shows and releases what is there, from whatever machine. */
export function createBucketQuarantine(bucket: Bucket, insist: Insist): QuarantineFiles {
  const { quarantine } = bucket

  async function copy(path: string, name: string): Promise<void> {
    const { size: sizeBytes } = await orGraftError(() => stat(path))
    await insist(() => quarantine.put(name, { path, sizeBytes }))
  }

  return {
    copy,

    async move(path, name) {
      await copy(path, name)
      await orGraftError(() => rm(path, { force: true }))
    },

    list: (client) => insist(() => quarantine.list(client)),
    read: (name) => insist(() => quarantine.read(name)),
    remove: (name) => insist(() => quarantine.remove(name)),
  }
}
