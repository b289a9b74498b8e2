import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Store } from '../store/store.ts'
import { parseQuarantined, type QuarantinedUpload } from './journalled-upload.ts'

/** Entries of the audit log that are looked through: of each client a few files are kept. */
const ENTRIES = 20_000

export interface KeptUpload extends QuarantinedUpload {
  readonly path: string
  readonly sizeBytes: number
}

/** The uploads that are set aside, each with its newest reason, newest first. */
export async function findQuarantined(
  store: Pick<Store, 'readAuditOf'>,
  folder: string,
): Promise<KeptUpload[]> {
  const files = new Set(await filesIn(folder))
  if (files.size === 0) return []
  const kept: KeptUpload[] = []
  for (const entry of await store.readAuditOf('update:quarantined', ENTRIES)) {
    const upload = parseQuarantined(entry)
    if (upload === null || !files.delete(upload.file)) continue
    const path = join(folder, upload.file)
    kept.push({ ...upload, path, sizeBytes: (await stat(path)).size })
  }
  return kept
}

/** A folder that nothing was put in yet is not there. */
async function filesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
