import type { QuarantineFiles } from '../store/quarantine-files.ts'
import type { Store } from '../store/store.ts'
import { parseQuarantined, type QuarantinedUpload } from './journalled-upload.ts'

/** Entries of the audit log that are looked through: of each client a few files are kept. */
const ENTRIES = 20_000

export interface KeptUpload extends QuarantinedUpload {
  readonly sizeBytes: number
}

/** The uploads that are set aside, each with its newest reason, newest first. */
export async function findQuarantined(
  store: Pick<Store, 'readAuditOf'>,
  files: Pick<QuarantineFiles, 'list'>,
): Promise<KeptUpload[]> {
  const sizes = new Map((await files.list()).map(({ name, sizeBytes }) => [name, sizeBytes]))
  if (sizes.size === 0) return []
  const kept: KeptUpload[] = []
  for (const entry of await store.readAuditOf('update:quarantined', ENTRIES)) {
    const upload = parseQuarantined(entry)
    const sizeBytes = upload === null ? undefined : sizes.get(upload.file)
    if (upload === null || sizeBytes === undefined) continue
    sizes.delete(upload.file)
    kept.push({ ...upload, sizeBytes })
  }
  return kept
}
