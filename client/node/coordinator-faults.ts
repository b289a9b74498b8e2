import type { ErrorCode } from '../../shared/errors.ts'

/** The coordinator's own troubles, no fault of this client: it waits until somebody has mended them. */
export const COORDINATOR_FAULTS: readonly ErrorCode[] = [
  'GRAFT_DISK_FULL',
  'GRAFT_DATABASE_UNAVAILABLE',
  'GRAFT_BUCKET_UNAVAILABLE',
  'GRAFT_BUCKET_REFUSED',
  // Another coordinator has taken over: the connection is about to move there.
  'GRAFT_LEADERSHIP_LOST',
]
