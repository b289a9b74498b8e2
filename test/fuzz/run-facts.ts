import type { BlobId, RunId } from '../../shared/ids.ts'
import type { BlobRef } from '../../shared/protocol/messages.ts'
import type { Update } from '../../shared/protocol/update.ts'

/** What an invited client knows of the run under attack. */
export interface RunFacts {
  readonly run: RunId
  /** The global model of the open round. */
  readonly model: BlobRef
  /** An update that the coordinator would accept. */
  readonly update: Update
  /** The same as a file. */
  readonly file: Uint8Array
  readonly sha256: BlobId
}
