import { join } from 'node:path'
import { toGraftError } from '../../shared/errors.ts'
import type { RunDisplay } from '../report/run-display.ts'
import { openBlobs } from '../store/blobs.ts'
import { createInsist, type Patience } from '../store/insist.ts'
import { createPatientStore } from '../store/patient-store.ts'
import { createQuietAudit, type QuietStore } from '../store/quiet-audit.ts'
import type { QuarantineFiles } from '../store/quarantine-files.ts'
import { openQuarantineFolder } from '../store/quarantine-folder.ts'
import { openBucketBlobs } from '../store/s3/bucket-blobs.ts'
import { createBucketQuarantine } from '../store/s3/bucket-quarantine.ts'
import type { Bucket } from '../store/s3/bucket.ts'
import { copiesFolder } from '../store/s3/load-bucket.ts'
import type { BlobStore, Store } from '../store/store.ts'
import type { CoordinatorOptions } from './coordinator-options.ts'

/** Where a coordinator that leads keeps things. */
export interface Storage {
  /** Waits for a silent server, and counts refusals in place of listing them. */
  readonly store: QuietStore
  readonly blobs: BlobStore
  readonly quarantineFiles: QuarantineFiles
}

interface StorageContext {
  readonly store: Store
  /** Null: blobs are in a folder. */
  readonly bucket: Bucket | null
  readonly display: RunDisplay
  readonly signal: AbortSignal
}

/** Opens what is kept, once this coordinator leads: opening blobs removes drafts. */
export async function openStorage(
  options: Pick<CoordinatorOptions, 'home' | 'shared' | 'databaseUrl' | 'databaseWaitSeconds'>,
  { store, bucket, display, signal }: StorageContext,
): Promise<Storage> {
  const { home, shared = home, databaseUrl, databaseWaitSeconds } = options
  const patienceWith = (server: string): Patience => ({
    seconds: databaseWaitSeconds,
    onSilence: ({ problem }) => display.message(`${problem} Waiting for it.`),
    onAnswer: () => display.message(`${server} answers again.`),
    signal,
  })
  const insist = createInsist('GRAFT_BUCKET_UNAVAILABLE', patienceWith('The bucket'))
  const [blobs, quarantineFiles] =
    bucket === null
      ? [await openBlobs(join(shared, 'blobs')), openQuarantineFolder(join(shared, 'quarantine'))]
      : [
          await openBucketBlobs({ bucket, copies: copiesFolder(home), insist }),
          createBucketQuarantine(bucket, insist),
        ]
  const persistent = createPatientStore(store, {
    ...patienceWith('The database'),
    ...(databaseUrl === undefined && { seconds: 0 }),
  })
  const quiet = createQuietAudit(persistent, {
    onFault: (error) => display.message(toGraftError(error).message),
  })
  return { store: quiet, blobs, quarantineFiles }
}
