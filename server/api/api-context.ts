import type { ClientId } from '../../shared/ids.ts'
import type { Log } from '../../shared/log/log.ts'
import type { Operations } from '../coordinator/operations.ts'
import type { BlobStore, Store } from '../store/store.ts'
import type { RunForm } from './run-form.ts'

/** What the API stands on; opened and closed by `start-coordinator.ts`. */
export interface ApiContext {
  readonly store: Store
  readonly blobs: BlobStore
  readonly operations: Operations
  /** Clients that are connected now, in a round or not. */
  readonly connected: () => readonly ClientId[]
  /** How the options of a form become the settings of a run. */
  readonly runForm: RunForm
  /** Whether this coordinator may write runs. */
  readonly isLeading: () => boolean
  /** Whether it has been told to end. @default it has not */
  readonly isEnding?: () => boolean
  /** The console, as Vite built it. */
  readonly consoleFolder: string
  /** Gets a line for each request, at level debug where it only reads. @default SILENT */
  readonly log?: Log
  /** Told of failures that are no request's fault. */
  readonly onFault: (error: Error) => void
}
