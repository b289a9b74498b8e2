import { z } from 'zod'
import { ERRORS, type ErrorCode } from '../../errors.ts'
import { BlobId, ClientId, RoundNumber, RunId } from '../../ids.ts'

const count = z.int().nonnegative()
const bytes = count
const share = z.number().min(0).max(1)
const instant = z.iso.datetime()
const errorCode = z.enum(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]])

/** Phases of a round, in their order; a round ends in one of the last two. */
export const ROUND_PHASES = [
  'recruiting',
  'collecting',
  'fusing',
  'tuning',
  'evaluating',
  'published',
  'failed',
] as const
export const RoundPhase = z.enum(ROUND_PHASES)

/** What a client is at, in the order of a round. */
export const CLIENT_STATES = [
  'away',
  'ready',
  'invited',
  'pulling',
  'training',
  'attributing',
  'uploading',
  'accepted',
  'evaluating',
  'done',
  'quarantined',
  'refused',
] as const
export const ClientState = z.enum(CLIENT_STATES)
export type ClientState = z.infer<typeof ClientState>

/** One client in a round: what an operator sees of it as a lane. */
export const ClientLane = z.strictObject({
  client: ClientId,
  state: ClientState,
  since: instant.describe('when it came into this state'),
  done: share.nullable().describe('share of the state that is done; null: not told'),
  loss: z.number().nullable().describe('mean training loss of its last steps; null: not told'),
  losses: z
    .array(z.number())
    .max(200)
    .describe('its training loss over this round, oldest first, thinned out evenly'),
  receivedBytes: bytes.describe('of its update'),
  sizeBytes: bytes.nullable().describe('of its update; null: not announced yet'),
  isInCohort: z.boolean(),
  problem: z.string().nullable().describe('why it was quarantined or refused; null: it was not'),
})
export type ClientLane = z.infer<typeof ClientLane>

/** The round that is going on. */
export const RoundView = z.strictObject({
  run: RunId,
  round: RoundNumber,
  phase: RoundPhase,
  phaseSince: instant,
  detail: z.string().nullable().describe('e.g. `epoch 3` while tuning'),
  beganAt: instant,
  deadlineAt: instant.nullable().describe('of this phase; null: it has none'),
  cohort: count.describe('clients invited; while recruiting: wanted'),
  quorum: count.describe('updates that suffice at the deadline'),
  goal: count.describe('updates with which the round goes on at once'),
  updates: count.describe('accepted so far'),
  remainingSeconds: z
    .number()
    .nonnegative()
    .nullable()
    .describe(
      'estimate of the time to the end of the round, from what the phases of earlier rounds took; null: nothing to go by',
    ),
  failure: errorCode.nullable(),
})
export type RoundView = z.infer<typeof RoundView>

/** What a federation is doing now: enough for the first look. */
export const FederationView = z.strictObject({
  version: z.string(),
  engine: z.string(),
  /** When this coordinator began to lead. */
  since: instant,
  staysForRuns: z.boolean().describe('whether it takes another run when one has ended'),
  run: RunId.nullable().describe('the run that is going on; null: none'),
  isPaused: z.boolean().describe('whether the next round waits for an operator'),
  round: RoundView.nullable(),
  clients: z.strictObject({ connected: count, known: count, banned: count, quarantined: count }),
  globalModel: BlobId.nullable().describe('what the next round starts from'),
  lastEventId: z.string().describe('give it as `after` to hear what comes next'),
})
export type FederationView = z.infer<typeof FederationView>

/**
 * A stored event, as it is told live and listed. `id` orders the events of all runs; an operator who was cut off
 * gives the last one heard and misses nothing.
 */
export const LiveEvent = z.strictObject({
  id: z.string(),
  at: instant,
  run: RunId,
  round: RoundNumber,
  type: z.string().describe('as in the journal, e.g. `update-received`'),
  phase: RoundPhase.describe('of the round after this event'),
  client: ClientId.nullable().describe('whom it is about; null: no client'),
  text: z.string().describe('one line for people'),
})
export type LiveEvent = z.infer<typeof LiveEvent>

/** What the coordinator tells operators without being asked, on the namespace `/operator`. */
export const FederationChanged = z.strictObject({ federation: FederationView })
export type FederationChanged = z.infer<typeof FederationChanged>
/** Only lanes that changed since the last message; at most four messages a second. */
export const LanesChanged = z.strictObject({ round: RoundNumber, lanes: z.array(ClientLane) })
export type LanesChanged = z.infer<typeof LanesChanged>
export const EventAppended = z.strictObject({ event: LiveEvent })
export type EventAppended = z.infer<typeof EventAppended>
/** Something that is listed has changed: ask for it again. */
export const ResourceChanged = z.strictObject({
  resource: z.enum([
    'runs',
    'rounds',
    'clients',
    'models',
    'quarantine',
    'tokens',
    'sessions',
    'audit',
  ]),
})
export type ResourceChanged = z.infer<typeof ResourceChanged>
export type ChangedResource = ResourceChanged['resource']

/** Handshake of the namespace; the session's cookie says who it is, or, of a script, its token. */
export const OperatorAuth = z.strictObject({
  token: z.string().max(200).optional().describe('operator token, of who has no cookie'),
  after: z
    .string()
    .regex(/^\d{1,15}\.\d{1,15}$/, 'must be the id of an event')
    .optional()
    .describe('id of the last event heard'),
})

export interface OperatorNews {
  'federation:changed': (message: FederationChanged) => void
  'lanes:changed': (message: LanesChanged) => void
  'event:appended': (message: EventAppended) => void
  'resource:changed': (message: ResourceChanged) => void
}
