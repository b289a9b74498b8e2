import { z } from 'zod'
import { ERRORS, type ErrorCode } from '../errors.ts'
import { BlobId, ClientId, RoundNumber, RunId } from '../ids.ts'
import { RunSettings } from './run-settings.ts'

/** Raised when a message changes its meaning; both sides must have the same one. */
export const PROTOCOL_VERSION = 1

/** Bytes of one chunk of a blob, up or down; the last one may be shorter. */
export const CHUNK_BYTES = 1 << 20

/** Chunks of that size that may be under way without an acknowledgement. */
export const CHUNK_WINDOW = 4

/** Bytes of a transfer that may be under way without one, at most: among many clients they are fewer (`transferWindow`). */
export const MAX_WINDOW_BYTES = CHUNK_WINDOW * CHUNK_BYTES

/** Largest message: one chunk and its envelope. The connection of a larger one is closed. */
export const MAX_MESSAGE_BYTES = CHUNK_BYTES + (64 << 10)

/** How often a coordinator pings each client; a client hears something at least as often. */
export const PING_INTERVAL_MS = 10_000

/** Messages of one client that may wait for their answers; the connection of a bolder one is closed. */
export const MAX_PENDING_MESSAGES = 4 * CHUNK_WINDOW

const seconds = z.number().nonnegative()
const bytes = z.int().nonnegative()
const chunk = z.custom<Uint8Array>((value) => value instanceof Uint8Array, 'must be bytes')

interface Counts {
  readonly numExamples: number
  readonly classCounts: readonly number[]
}

const COUNTS_FAULT = { path: ['classCounts'], error: 'must add up to numExamples' }

function addsUp({ numExamples, classCounts }: Counts): boolean {
  return classCounts.reduce((sum, count) => sum + count, 0) === numExamples
}

/** A blob that the coordinator offers under `blob:pull`. */
export const BlobRef = z.strictObject({ id: BlobId, sizeBytes: bytes.positive() })
export type BlobRef = z.infer<typeof BlobRef>

/** socket.io handshake `auth`: who connects. */
export const ClientAuth = z.strictObject({
  protocol: z.int(),
  token: z.string().min(1).max(256),
  /** The name this client wants; a token made for one client implies it. */
  name: ClientId.optional(),
  /** e.g. `0.1.0`. */
  version: z.string().max(32),
  /** e.g. `native`. */
  engine: z.string().max(32),
})
export type ClientAuth = z.infer<typeof ClientAuth>

/** run:join — first message of every connection; the answer says which run the client belongs to. */
export const RunJoin = z.strictObject({
  /** A run that this client is through with: the answer comes when another one has begun. */
  after: RunId.optional(),
})

/**
 * client:ready — what a client has to train on. Sent after run:join, whose settings may decide which
 * examples those are; from then on it may be invited.
 */
export const ClientReady = z
  .strictObject({
    numExamples: z.int().positive(),
    classCounts: z.array(z.int().nonnegative()).nonempty().max(100_000),
  })
  .refine(addsUp, COUNTS_FAULT)
export type ClientReady = z.infer<typeof ClientReady>

/** client:progress — for the operator's eyes only; may be lost. */
export const ClientProgress = z.strictObject({
  round: RoundNumber,
  phase: z.enum(['pulling', 'training', 'attributing', 'uploading', 'evaluating']),
  /** Share of the phase done, 0 to 1. */
  done: z.number().min(0).max(1),
  /** Mean training loss of the last steps. */
  loss: z.number().optional(),
})
export type ClientProgress = z.infer<typeof ClientProgress>

/** blob:pull — one chunk of an offered blob. */
export const BlobPull = z.strictObject({
  id: BlobId,
  offset: bytes,
  length: bytes.positive().max(CHUNK_BYTES),
})
export type BlobPull = z.infer<typeof BlobPull>

/** update:begin — announces one update; the answer says from which byte to send. */
export const UpdateBegin = z.strictObject({
  round: RoundNumber,
  sizeBytes: bytes.positive(),
  sha256: BlobId,
})
export type UpdateBegin = z.infer<typeof UpdateBegin>

/** update:chunk — bytes of the announced update, in order. */
export const UpdateChunk = z.strictObject({ round: RoundNumber, offset: bytes, chunk })
export type UpdateChunk = z.infer<typeof UpdateChunk>

/** update:commit — all bytes sent; the answer comes after the update is verified and journalled. */
export const UpdateCommit = z
  .strictObject({
    round: RoundNumber,
    numExamples: z.int().positive(),
    classCounts: z.array(z.int().nonnegative()).nonempty().max(100_000),
    /** Seconds this client spent in each phase of the round. */
    seconds: z.strictObject({ train: seconds, attribute: seconds, upload: seconds }),
  })
  .refine(addsUp, COUNTS_FAULT)
export type UpdateCommit = z.infer<typeof UpdateCommit>

/** evaluation:report — how a published model does on the client's own data. */
export const EvaluationReport = z.strictObject({
  round: RoundNumber,
  accuracy: z.number().min(0).max(1),
  loss: z.number().nonnegative(),
  numExamples: z.int().positive(),
})
export type EvaluationReport = z.infer<typeof EvaluationReport>

/** evaluation:decline — the client does not judge the published model: nobody need wait for it. */
export const EvaluationDecline = z.strictObject({ round: RoundNumber })
export type EvaluationDecline = z.infer<typeof EvaluationDecline>

/** Answer to run:join: the run this client now belongs to. */
export const RunJoined = z.strictObject({
  run: RunId,
  clientId: ClientId,
  settings: RunSettings,
})
export type RunJoined = z.infer<typeof RunJoined>

/** Answer to blob:pull: as many bytes from the offset on as were asked for, or what is left. */
export const BlobChunk = z.strictObject({ chunk })
export type BlobChunk = z.infer<typeof BlobChunk>

/** Answer to update:begin and update:chunk. */
export const UploadOffset = z.strictObject({
  /** The byte from which the coordinator wants more. */
  offset: bytes,
  /** Bytes that may be under way from now on. */
  windowBytes: bytes.positive().max(MAX_WINDOW_BYTES),
})
export type UploadOffset = z.infer<typeof UploadOffset>

/** What a run's strategy asks of local training, beside the run's settings; absent fields ask nothing. */
export const TrainingRequest = z.strictObject({
  /** mu of FedProx: mu/2 |w - global model|^2 is added to the loss. */
  proximal: z.number().positive().max(1000).optional(),
  /** Of SCAFFOLD: `add` less `subtract` is added to every gradient. Safetensors files of the trained weights' shapes. */
  correction: z
    .strictObject({
      /** The control variate of all clients. */
      add: BlobRef,
      /** That of this client; absent: 0. */
      subtract: BlobRef.optional(),
    })
    .optional(),
})
export type TrainingRequest = z.infer<typeof TrainingRequest>

/** round:invited — asks a client of the cohort for one update. Sent again after a reconnect. */
export const RoundInvited = z.strictObject({
  run: RunId,
  round: RoundNumber,
  /** The global model to start from. */
  model: BlobRef,
  /** Public examples to train on beside one's own; see proxy-set.ts. Absent when the run does not rehearse. */
  proxy: BlobRef.optional(),
  /** Absent when the strategy asks nothing. */
  training: TrainingRequest.optional(),
  /** Seconds left until the deadline. */
  deadlineSeconds: seconds,
})
export type RoundInvited = z.infer<typeof RoundInvited>

/** round:published — the round is over and this is the global model now. */
export const RoundPublished = z.strictObject({
  run: RunId,
  round: RoundNumber,
  model: BlobRef,
  /** False when the gate kept the model of the round before. */
  isNew: z.boolean(),
})
export type RoundPublished = z.infer<typeof RoundPublished>

const errorCode = z.enum(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]])

/** round:failed — the round ended without a model. */
export const RoundFailed = z.strictObject({ run: RunId, round: RoundNumber, code: errorCode })
export type RoundFailed = z.infer<typeof RoundFailed>

/** run:finished — no more rounds; the client may leave. */
export const RunFinished = z.strictObject({ run: RunId, rounds: z.int().nonnegative() })
export type RunFinished = z.infer<typeof RunFinished>

/** coordinator:leaving — the coordinator is told to end; the run goes on when it, or another one, is there. */
export const CoordinatorLeaving = z.strictObject({})
export type CoordinatorLeaving = z.infer<typeof CoordinatorLeaving>

/** connection:closed — why the coordinator ends this connection; it follows at once, for good. */
export const ConnectionClosed = z.strictObject({ code: errorCode, message: z.string() })
export type ConnectionClosed = z.infer<typeof ConnectionClosed>

/** What a client reads when something is refused: the code, and a message that ends in the remedy. */
export const Refusal = z.strictObject({
  ok: z.literal(false),
  code: errorCode,
  message: z.string(),
  /** When to try again, where the coordinator can tell. */
  retryAfterSeconds: seconds.max(3600).optional(),
})
export type Refusal = z.infer<typeof Refusal>

/** Answer that says no more than that it was done. */
export const Done = z.strictObject({})

/** What every answer has: `ok` says whether the rest is a {@link Refusal}. */
export const Reply = z.looseObject({ ok: z.boolean() })

/** Every message is answered; a refusal says why and what to do. */
export type Ack<Body = object> = ({ ok: true } & Body) | Refusal
export type Answer<Body = object> = (reply: Ack<Body>) => void

/** Payloads are unknown until their schema has parsed them. */
export interface ClientToServer {
  'run:join': (message: unknown, answer: Answer<RunJoined>) => void
  'client:ready': (message: unknown, answer: Answer) => void
  'client:progress': (message: unknown) => void
  'blob:pull': (message: unknown, answer: Answer<BlobChunk>) => void
  'update:begin': (message: unknown, answer: Answer<UploadOffset>) => void
  'update:chunk': (message: unknown, answer: Answer<UploadOffset>) => void
  'update:commit': (message: unknown, answer: Answer) => void
  'evaluation:report': (message: unknown, answer: Answer) => void
  'evaluation:decline': (message: unknown, answer: Answer) => void
}

export interface ServerToClient {
  'round:invited': (message: unknown) => void
  'round:published': (message: unknown) => void
  'round:failed': (message: unknown) => void
  'run:finished': (message: unknown) => void
  'coordinator:leaving': (message: unknown) => void
  'connection:closed': (message: unknown) => void
}
