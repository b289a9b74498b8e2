import type { ClientId, RoundNumber } from '../../shared/ids.ts'
import type {
  BlobPull,
  BlobRef,
  ClientAuth,
  ClientProgress,
  ClientReady,
  EvaluationReport,
  RoundFailed,
  RoundInvited,
  RoundPublished,
  RunFinished,
  RunJoined,
  UpdateBegin,
  UpdateCommit,
} from '../../shared/protocol/messages.ts'

/**
 * What the gateway asks of the coordinator, with parsed values only. Whatever is thrown becomes the
 * refusal that the client reads.
 */
export interface GatewayHandlers {
  /** Who is this? Checks token and name. @throws GraftError GRAFT_TOKEN_INVALID, GRAFT_CLIENT_NAME_TAKEN */
  admit(auth: ClientAuth): Promise<ClientId>
  onReady(client: ClientId, ready: ClientReady): Promise<RunJoined>
  onLeft(client: ClientId): void
  onProgress(client: ClientId, progress: ClientProgress): void
  /** May this client pull this blob? @throws GraftError GRAFT_BLOB_UNKNOWN */
  readBlob(client: ClientId, pull: BlobPull): Promise<Uint8Array>
  /** Is this update wanted, now, of this size? @throws GraftError when not */
  checkUpdate(client: ClientId, begin: UpdateBegin): void
  /** For display: bytes received of an update. */
  onUploadProgress(client: ClientId, progress: { receivedBytes: number; sizeBytes: number }): void
  /** A complete, hash-verified file. Returns after it is journalled. @throws GraftError when refused */
  onUpdate(client: ClientId, update: ReceivedUpdate): Promise<void>
  onEvaluation(client: ClientId, report: EvaluationReport): void
}

export interface ReceivedUpdate extends UpdateCommit {
  readonly round: RoundNumber
  readonly blob: BlobRef
  /** The verified file, to be moved into the blob store. */
  readonly path: string
}

/** A listening gateway: what the coordinator may tell clients. */
export interface Gateway {
  readonly url: string
  connected(): readonly ClientId[]
  invite(client: ClientId, message: RoundInvited): void
  published(message: RoundPublished): void
  failed(message: RoundFailed): void
  finished(message: RunFinished): void
  /** Ends a client's connection, e.g. when its token was revoked. */
  disconnect(client: ClientId): void
  close(): Promise<void>
}

export interface GatewayOptions {
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  /** Folder for uploads under way; what a crash leaves there is resumed or removed at start. */
  readonly uploadFolder: string
}
