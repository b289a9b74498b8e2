import type { ErrorCode } from '../../shared/errors.ts'
import type { BlobId, ClientId, RoundNumber, RunId } from '../../shared/ids.ts'
import type { Role } from '../../shared/protocol/operator/role.ts'
import type { ByteReader } from '../../shared/model/stored-weights.ts'
import type { RunSettings } from '../../shared/protocol/run-settings.ts'
import type {
  OperatorLists,
  RequestStore,
  SessionStore,
  SignInLinkStore,
} from './operator-store.ts'

/** `queued` waits for its turn; `running` and `paused` go on, also after a crash; the others are over. */
export type RunStatus = 'queued' | 'running' | 'paused' | 'finished' | 'failed' | 'stopped'

/** Why a run has failed. */
export interface RunFailure {
  readonly code: ErrorCode
  readonly problem: string
}

export interface RunRecord {
  readonly id: RunId
  /** Counts runs in the order they were made. */
  readonly number: number
  readonly settings: RunSettings
  readonly status: RunStatus
  readonly createdAt: Date
}

/** One stored event of a run, in the order in which it was decided. */
export interface JournalEntry {
  /** 1-based, without gaps within a run. */
  readonly seq: number
  /** JSON value. */
  readonly event: unknown
  readonly at: Date
}

export interface ModelRecord {
  readonly run: RunId
  readonly round: RoundNumber
  readonly blob: BlobId
  /** JSON value: what the round report says of this model. */
  readonly report: unknown
  /** JSON value: whose neurons made this model; null where nobody wrote that down. */
  readonly ledger: unknown
}

export type TokenKind = 'join' | 'client' | 'operator'

export interface TokenRecord {
  readonly id: string
  readonly kind: TokenKind
  /** The one client a `client` token is for; null for the other kinds. */
  readonly clientId: ClientId | null
  /** What the holder of an `operator` token may do; null for the other kinds. */
  readonly role: Role | null
  readonly label: string
  readonly createdAt: Date
  readonly expiresAt: Date | null
  readonly revokedAt: Date | null
}

export interface ClientRecord {
  readonly id: ClientId
  /** The token this name joined with: another one is refused. */
  readonly tokenId: string
  readonly version: string
  readonly engine: string
  readonly lastSeenAt: Date
}

/** Why a client is refused. */
export interface BanRecord {
  readonly client: ClientId
  readonly at: Date
  /** As in the audit log. */
  readonly by: string
  readonly reason: string
}

export interface AuditEntry {
  readonly at: Date
  /** `client:<id>`, `operator:<token label>` or `coordinator`. */
  readonly actor: string
  /** `noun:verb`, e.g. `client:admitted`, `update:refused`. */
  readonly action: string
  /** JSON value. */
  readonly details: unknown
}

export interface LeaderOptions {
  /** Who this is, for the messages of others. */
  readonly holder: string
  /** Whether to wait for the end of a coordinator that leads. */
  readonly isStandby: boolean
  /** Told once, when there is one to wait for. */
  readonly onWait?: (leader: string) => void
  /** Seconds without a sign of life after which a standby takes the lead from one that hangs. @default never */
  readonly leaseSeconds?: number
  /** Told when that is done. */
  readonly onBreak?: () => void
  readonly signal: AbortSignal
}

/** A coordinator's right to write runs. */
export interface Leadership {
  /** Aborted with GRAFT_LEADERSHIP_LOST when another coordinator has taken over. */
  readonly lost: AbortSignal
  /** Lets the next one lead at once. */
  release(): Promise<void>
}

/**
 * What a coordinator must not lose. Two implementations of one contract: embedded PGlite, PostgreSQL.
 * Every method throws GraftError GRAFT_DATABASE_UNAVAILABLE when the database does not answer, and those that write runs,
 * journal and models GRAFT_LEADERSHIP_LOST when this store has led and another leads now.
 */
export interface Store {
  /** e.g. `PGlite in graft-data/db` or `PostgreSQL 15.2 at db:5432/graft`; never a password. */
  readonly description: string
  /**
   * Makes this store the one that may write runs, as soon as no other does; from then on its writes of runs, journal and
   * models are fenced. One that never leads is not.
   *
   * @throws GraftError GRAFT_LEADERSHIP_TAKEN when another leads and `isStandby` is false; the reason of `signal`
   */
  lead(as: LeaderOptions): Promise<Leadership>

  createRun(settings: RunSettings): Promise<RunRecord>
  /** Puts a run behind those that wait; a second time it changes nothing. */
  queueRun(run: RunId, settings: RunSettings): Promise<void>
  /** The newest run that is still `running` or `paused`, to go on with after a crash. */
  unfinishedRun(): Promise<RunRecord | null>
  /** The oldest run that waits. */
  queuedRun(): Promise<RunRecord | null>
  setRunStatus(run: RunId, status: Exclude<RunStatus, 'failed'>): Promise<void>
  failRun(run: RunId, failure: RunFailure): Promise<void>
  /** All there are, in the order in which they began. */
  listRuns(): Promise<RunRecord[]>

  /** Durable when it returns; calls are numbered in the order they were made. @returns the entry's seq */
  appendEvent(run: RunId, event: unknown): Promise<number>
  /** The same of several: all are written or none. @returns the last one's seq */
  appendEvents(run: RunId, events: readonly [unknown, ...unknown[]]): Promise<number>
  /** Waits for an event that another process, dead or alive, is writing just now. */
  readJournal(run: RunId): Promise<JournalEntry[]>

  /** Replaces the model of the same run and round, as after a crash between saving and journalling. */
  saveModel(model: ModelRecord): Promise<void>
  /** Null: the round has none. One at a time, as ledgers of many rounds are more than a process has memory for. */
  readModel(run: RunId, round: RoundNumber): Promise<ModelRecord | null>
  /**
   * Blobs that events and models of a run name. Whatever looks like a blob's id is taken for one: of two mistakes this one loses
   * nothing.
   *
   * @param options.withoutUpdatesUpTo updates of rounds up to this one are left out
   */
  namedBlobs(run: RunId, options: { readonly withoutUpdatesUpTo: number }): Promise<BlobId[]>

  /**
   * @param token the secret itself; only its SHA-256 is stored
   * @throws GraftError GRAFT_TOKEN_INVALID when a token, valid or not, has this secret already
   */
  createToken(token: {
    secret: string
    kind: TokenKind
    clientId: ClientId | null
    /** @default `admin` for an `operator` token */
    role?: Role | undefined
    label: string
    expiresAt: Date | null
  }): Promise<TokenRecord>
  /** The valid token with this secret: not revoked, not expired. */
  findToken(secret: string): Promise<TokenRecord | null>
  listTokens(): Promise<TokenRecord[]>
  /** @returns false when there is no such token */
  revokeToken(id: string): Promise<boolean>
  /**
   * Gives a valid token another secret; the one it has stays good until `previousUntil`, the one before that no longer.
   * @returns null when there is no such token that is valid
   */
  rotateToken(
    id: string,
    next: { readonly secret: string; readonly previousUntil: Date },
  ): Promise<TokenRecord | null>

  /**
   * Binds a name to a token at its first join; later only notes when and with what it was seen.
   * @throws GraftError GRAFT_CLIENT_NAME_TAKEN when the name belongs to another token that is still valid
   */
  admitClient(client: Omit<ClientRecord, 'lastSeenAt'>): Promise<ClientRecord>
  listClients(): Promise<ClientRecord[]>

  /** Refuses a client from now on; one that is banned keeps its first ban. */
  banClient(ban: Omit<BanRecord, 'at'>): Promise<void>
  /** @returns false when it was not banned */
  releaseClient(client: ClientId): Promise<boolean>
  /** In id order. */
  listBans(): Promise<BanRecord[]>

  audit(entry: Omit<AuditEntry, 'at'>): Promise<void>
  /** The newest entries, newest first. */
  readAudit(limit: number): Promise<AuditEntry[]>
  /** The newest entries of one action, newest first. */
  readAuditOf(action: string, limit: number): Promise<AuditEntry[]>

  readonly sessions: SessionStore
  readonly signInLinks: SignInLinkStore
  readonly requests: RequestStore
  readonly lists: OperatorLists

  close(): Promise<void>
}

/** Content-addressed files: a blob's id is the SHA-256 of its bytes, so it is stored once and never changes. */
export interface BlobStore {
  /** Written to a temporary file, synced, then renamed. @throws GraftError GRAFT_DISK_FULL, leaving nothing */
  put(bytes: Uint8Array): Promise<BlobId>
  /**
   * Moves a finished file in.
   *
   * @param known.isVerified its bytes have this id and are on disk: they are not read again
   * @throws GraftError GRAFT_UPLOAD_CORRUPT when its hash is not `id`; the file is removed
   */
  adopt(path: string, id: BlobId, known?: { readonly isVerified: true }): Promise<void>
  /** The whole blob, verified. @throws GraftError GRAFT_BLOB_UNKNOWN, GRAFT_BLOB_CORRUPT */
  get(id: BlobId): Promise<Uint8Array>
  /** Some bytes, not verified, for streaming; shorter at the end. @throws GraftError GRAFT_BLOB_UNKNOWN */
  read(id: BlobId, offset: number, length: number): Promise<Uint8Array>
  /** A blob that is verified once, and then read where it is wanted. @throws GraftError GRAFT_BLOB_UNKNOWN, GRAFT_BLOB_CORRUPT */
  open(id: BlobId): Promise<OpenBlob>
  /** A blob that is not known yet, written from its first byte to its last. @throws GraftError GRAFT_DISK_FULL */
  create(): Promise<BlobDraft>
  sizeOf(id: BlobId): Promise<number>
  has(id: BlobId): Promise<boolean>
  /**
   * A file with the blob's bytes, only to read; it is fetched first where it is elsewhere.
   * @throws GraftError GRAFT_BLOB_UNKNOWN, where it had to be fetched
   */
  file(id: BlobId): Promise<string>
  /** Whether blobs can be stored now. @throws what storing one would throw */
  check(): Promise<void>
  /** One that is not there is removed already. */
  remove(id: BlobId): Promise<void>
}

/** Next to nothing of it is in memory, and no file is open. */
export interface OpenBlob extends ByteReader {
  readonly sizeBytes: number
}

/** Takes its name when it is complete. Who makes one ends with `keep` or `discard`. */
export interface BlobDraft {
  /** @throws GraftError GRAFT_DISK_FULL */
  write(bytes: Uint8Array): Promise<void>
  /** Durable when it returns, as after `put`. */
  keep(): Promise<BlobId>
  /** Leaves nothing; behind `keep` it does nothing. */
  discard(): Promise<void>
}
