import type { GraftError } from '../../shared/errors.ts'
import type { ClientId, RoundNumber, RunId } from '../../shared/ids.ts'
import type {
  BlobPull,
  BlobRef,
  ClientAuth,
  ClientProgress,
  ClientReady,
  EvaluationDecline,
  EvaluationReport,
  RoundFailed,
  RoundInvited,
  RoundPublished,
  RunFinished,
  RunJoined,
  UpdateBegin,
  UpdateCommit,
} from '../../shared/protocol/messages.ts'
import type { Log } from '../../shared/log/log.ts'
import type { GatewayLimits } from './gateway-limits.ts'
import type { Peer } from './peer.ts'

/**
 * What the gateway asks of the coordinator, with parsed values only. Whatever is thrown becomes the
 * refusal that the client reads.
 */
export interface GatewayHandlers {
  /** Who is this? Checks token and name. @throws GraftError GRAFT_TOKEN_INVALID, GRAFT_CLIENT_NAME_TAKEN */
  admit(auth: ClientAuth, peer: Peer): Promise<ClientId>
  /**
   * The run this client belongs to now. Asked for after every (re)connect, before `onReady`.
   *
   * @param after a run that the client is through with: another one is waited for
   * @throws GraftError GRAFT_NO_RUN when none has begun for a while; the client asks again
   */
  onJoin(client: ClientId, after?: RunId): Promise<RunJoined>
  /** The client has its examples and may be invited; after a reconnect it is told again what it missed. */
  onReady(client: ClientId, ready: ClientReady): Promise<void>
  onLeft(client: ClientId): void
  onProgress(client: ClientId, progress: ClientProgress): void
  /** May this client pull this blob? @throws GraftError GRAFT_BLOB_UNKNOWN */
  readBlob(client: ClientId, pull: BlobPull): Promise<Uint8Array>
  /** Is this update wanted, now, of this size? @returns who looks at its bytes @throws GraftError when not */
  checkUpdate(client: ClientId, begin: UpdateBegin): Inspection
  /** For display: bytes received of an update. */
  onUploadProgress(client: ClientId, progress: { receivedBytes: number; sizeBytes: number }): void
  /**
   * A complete, hash-verified file, to be moved away; what is left of it is removed on return. Returns
   * after it is journalled. Called again for an update whose acknowledgement a crash has swallowed.
   * @throws GraftError when refused
   */
  onUpdate(client: ClientId, update: ReceivedUpdate): Promise<void>
  onEvaluation(client: ClientId, report: EvaluationReport): void
  onDecline(client: ClientId, decline: EvaluationDecline): void
}

export interface ReceivedUpdate extends UpdateCommit {
  readonly round: RoundNumber
  readonly blob: BlobRef
  /** The verified file, to be moved into the blob store. */
  readonly path: string
  /** Has seen every byte of the file. */
  readonly inspection: Inspection
}

/** Looks at an update while it comes in, so that nobody has to read it once more. */
export interface Inspection {
  /** The next bytes, in order; borrowed. What is wrong with them is for `finish` to say. */
  readonly add: (bytes: Uint8Array) => void
  /** After the last byte. @throws GraftError what is wrong with the update */
  readonly finish: (received: Omit<ReceivedUpdate, 'inspection'>) => void
}

/** What the coordinator may tell clients. */
export interface Gateway {
  connected(): readonly ClientId[]
  invite(client: ClientId, message: RoundInvited): void
  published(message: RoundPublished): void
  failed(message: RoundFailed): void
  finished(message: RunFinished): void
  /** Ends a client's connection for good, e.g. when its token was revoked, and tells it why. */
  disconnect(client: ClientId, reason?: GraftError): void
  close(): Promise<void>
}

/** A client that was not let in. */
export interface ClientRefusal extends Peer {
  /** What it called itself. */
  readonly name: ClientId | undefined
  readonly error: GraftError
}

export interface AttachOptions {
  /** Folder for uploads under way; what a crash leaves there is resumed, or removed when its round is over. */
  readonly uploadFolder: string
  /** Whether a client must have a certificate with its name; only where the server asks for one. @default false */
  readonly asksCertificate?: boolean
  /** @default DEFAULT_LIMITS */
  readonly limits?: GatewayLimits
  /** Told of clients that were refused before `admit` was asked. */
  readonly onRefused?: (refusal: ClientRefusal) => void
  /** Told each time a client has come or gone. */
  readonly onConnections?: () => void
  /** Told of failures that are no client's fault: a bug, a full disk. @default they are only answered */
  readonly onFault?: (error: GraftError) => void
  /** Gets a line for each connection, invitation and upload. @default SILENT */
  readonly log?: Log
}
