import type { RunSettings } from '../../shared/protocol/run-settings.ts'
import type { Gateway } from '../gateway/gateway.ts'
import type { QuarantineFiles } from '../store/quarantine-files.ts'
import type { BlobStore, Store } from '../store/store.ts'
import type { Board } from './live/board.ts'
import type { Helm } from './session.ts'

/** Runs that wait for their turn. */
export interface RunQueue {
  /** @throws GraftError why such a run could not begin, GRAFT_OPTION_INVALID and the like */
  check(settings: RunSettings): Promise<void>
  /** A run has been stored. */
  wake(): void
}

/** What operators' wishes are carried out with. */
export interface OperationsContext {
  readonly store: Store
  readonly blobs: BlobStore
  readonly board: Board
  readonly helm: Helm
  readonly gateway: Pick<Gateway, 'connected' | 'disconnect'>
  /** Null where the coordinator ends with its run. */
  readonly queue: RunQueue | null
  readonly quarantineFiles: QuarantineFiles
}
