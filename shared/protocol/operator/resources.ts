import { z } from 'zod'
import { ERRORS, type ErrorCode } from '../../errors.ts'
import { BlobId, ClientId, RoundNumber, RunId } from '../../ids.ts'
import { LedgerReport } from '../ledger.ts'
import { RoundReport, Score } from '../run-report.ts'
import { RunSettings } from '../run-settings.ts'
import { ClientLane, LiveEvent, RoundView } from './live.ts'
import { Role } from './role.ts'

const count = z.int().nonnegative()
const bytes = count
const share = z.number().min(0).max(1)
const instant = z.iso.datetime()
const errorCode = z.enum(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]])

/** One page of a list; `next` is the cursor of the page behind it, null on the last one. */
export function pageOf<Item extends z.ZodType>(item: Item) {
  return z.strictObject({ items: z.array(item), next: z.string().nullable() })
}

/** A refusal over HTTP: RFC 9457, `application/problem+json`. */
export const Problem = z.strictObject({
  type: z.string().describe('about:blank, or a page that explains the code'),
  title: z.string().describe('of the HTTP status'),
  status: z.int(),
  detail: z.string().describe('what happened, with the values'),
  code: errorCode,
  remedy: z.string().describe('what to do'),
  instance: z.string().describe('path of the request'),
})
export type Problem = z.infer<typeof Problem>

export const RUN_STATUSES = [
  'queued',
  'running',
  'paused',
  'finished',
  'failed',
  'stopped',
] as const
export const RunStatus = z.enum(RUN_STATUSES)

/** One point of the curves of a run. */
export const RoundSummary = z.strictObject({
  round: RoundNumber,
  cohort: count,
  uploads: count,
  fused: Score.pick({ accuracy: true, loss: true }),
  tuned: Score.pick({ accuracy: true, loss: true }),
  /** With the accuracy by class: what a later model forgets is measured against it. */
  published: Score.extend({
    candidate: z.enum(['fused', 'tuned', 'kept']),
    modelSha256: BlobId,
  }),
  controls: z
    .strictObject({
      ensemble: share.nullable(),
      average: share.nullable(),
      averageTuned: share.nullable(),
      proxyAlone: share.nullable(),
      bestParentTuned: share.nullable(),
      bestParent: share.nullable(),
    })
    .describe('accuracies; null: not measured'),
  seconds: RoundReport.shape.seconds,
  bytes: RoundReport.shape.bytes,
})
export type RoundSummary = z.infer<typeof RoundSummary>

/** Why a run or a round has failed. */
export const FailureResource = z.strictObject({
  code: errorCode,
  problem: z.string().describe('what went wrong'),
  remedy: z.string().describe('what to do'),
})
export type FailureResource = z.infer<typeof FailureResource>

export const RunResource = z.strictObject({
  id: RunId,
  number: z.int().positive().describe('counts runs in the order they began'),
  status: RunStatus,
  failure: FailureResource.nullable().describe(
    'null: it has not failed, or an earlier version of Graft has not said why',
  ),
  settings: RunSettings,
  createdAt: instant,
  rounds: count.describe('rounds that published a model'),
  accuracy: share.nullable().describe('of its newest model on the test split; null: none yet'),
  modelSha256: BlobId.nullable(),
})
export type RunResource = z.infer<typeof RunResource>

/** A round in full: `report` when it is over, `live` while it goes on, neither of a failed one. */
export const RoundResource = z.strictObject({
  run: RunId,
  round: RoundNumber,
  report: RoundReport.omit({ ledger: true }).nullable(),
  live: RoundView.nullable(),
  lanes: z.array(ClientLane).describe('empty of a round that is over'),
  failure: FailureResource.nullable(),
})
export type RoundResource = z.infer<typeof RoundResource>

export const LedgerResource = z.strictObject({
  run: RunId,
  round: RoundNumber,
  ledger: LedgerReport.nullable(),
})
export type LedgerResource = z.infer<typeof LedgerResource>

export const ClientResource = z.strictObject({
  id: ClientId,
  isConnected: z.boolean(),
  state: ClientLane.shape.state,
  version: z.string(),
  engine: z.string(),
  lastSeenAt: instant,
  tokenId: z.uuid(),
  tokenLabel: z.string(),
  numExamples: count.nullable().describe('of its newest update; null: it has sent none'),
  classCounts: z.array(count).nullable(),
  ban: z.strictObject({ at: instant, by: z.string(), reason: z.string() }).nullable(),
  roundsInvited: count,
  roundsAccepted: count,
  contribution: z
    .number()
    .nullable()
    .describe(
      'accuracy that the ensemble of the newest measured round loses without it, on held-out proxy examples; negative: it gains. null: not measured',
    ),
})
export type ClientResource = z.infer<typeof ClientResource>

export const ModelResource = z.strictObject({
  run: RunId,
  round: RoundNumber,
  sha256: BlobId,
  sizeBytes: bytes,
  accuracy: share,
  loss: z.number().nonnegative(),
  candidate: z.enum(['fused', 'tuned', 'kept']),
  isGlobal: z.boolean().describe('whether the next round of its run starts from it'),
  createdAt: instant.nullable(),
})
export type ModelResource = z.infer<typeof ModelResource>

export const QuarantinedResource = z.strictObject({
  id: z.string().describe('its file, `CLIENT.ROUND.SHA256.safetensors`'),
  client: ClientId,
  round: RoundNumber,
  sha256: BlobId,
  sizeBytes: bytes,
  at: instant,
  code: errorCode,
  problem: z.string(),
  canRelease: z.boolean().describe('whether its round still takes updates'),
})
export type QuarantinedResource = z.infer<typeof QuarantinedResource>

export const TokenResource = z.strictObject({
  id: z.uuid(),
  kind: z.enum(['join', 'client', 'operator']),
  role: Role.nullable().describe('of an operator token; null of the other kinds'),
  client: ClientId.nullable(),
  label: z.string(),
  createdAt: instant,
  expiresAt: instant.nullable(),
  revokedAt: instant.nullable(),
  state: z.enum(['valid', 'revoked', 'expired']),
})
export type TokenResource = z.infer<typeof TokenResource>

/** A token that was just made or rotated, with its secret, which is told this once. */
export const NewToken = TokenResource.extend({
  secret: z.string(),
  previousUntil: instant
    .nullable()
    .describe('until when the secret before this one stays good; null: there was none'),
})
export type NewToken = z.infer<typeof NewToken>

export const SessionResource = z.strictObject({
  id: z.uuid(),
  label: z.string().describe('of the token that it was opened with'),
  role: Role,
  createdAt: instant,
  lastSeenAt: instant,
  expiresAt: instant,
  userAgent: z.string(),
  isOwn: z.boolean().describe('whether it is the one that asks'),
})
export type SessionResource = z.infer<typeof SessionResource>

/** The answer to a sign-in; `csrfToken` goes into the header `x-graft-csrf` of every request that changes something. */
export const SignedIn = z.strictObject({ session: SessionResource, csrfToken: z.string() })
export type SignedIn = z.infer<typeof SignedIn>

export const AuditResource = z.strictObject({
  id: z.string(),
  at: instant,
  actor: z.string(),
  action: z.string(),
  details: z.unknown(),
})
export type AuditResource = z.infer<typeof AuditResource>

/** What one client did in a round that is over. */
export const ClientRoundResource = z.strictObject({
  run: RunId,
  round: RoundNumber,
  accuracy: share.nullable().describe('of its own network on the test split; null: not measured'),
  loss: z.number().nonnegative().nullable(),
  numExamples: count,
  classCounts: z.array(count).nullable(),
  evaluation: share
    .nullable()
    .describe('accuracy of the published model on its own data; null: it did not say'),
})
export type ClientRoundResource = z.infer<typeof ClientRoundResource>

/** Two models beside each other: `a` is the base of every difference. */
export const ModelComparison = z.strictObject({
  a: ModelResource,
  b: ModelResource,
  accuracyGain: z.number().describe('accuracy of b less that of a'),
  lossGain: z.number().describe('loss of a less that of b: positive where b is better'),
  classGains: z
    .array(z.number().nullable())
    .nullable()
    .describe('accuracy of b less that of a, by class; null: not measured'),
  isSameShape: z.boolean().describe('whether both have tensors of the same names and shapes'),
  tensors: z
    .array(
      z.strictObject({
        name: z.string(),
        shape: z.array(count),
        distance: z.number().nonnegative().describe('|b - a| / |a|, Euclidean; |b| where a is 0'),
        cosine: z.number().min(-1).max(1).nullable().describe('null: one of them is 0'),
      }),
    )
    .describe('empty unless both have the same shape'),
})
export type ModelComparison = z.infer<typeof ModelComparison>

/** One option of the form for a new run, from the very options of the command line. */
export const RunFormOption = z.strictObject({
  name: z.string().describe('as POST /runs takes it'),
  flag: z.string().describe('as the command line takes it'),
  type: z.enum(['text', 'number', 'choice', 'flag']),
  choices: z.array(z.union([z.string(), z.number()])).nullable(),
  default: z
    .union([z.string(), z.number(), z.boolean()])
    .nullable()
    .describe('what it is when nobody says it; null: nothing'),
  minimum: z.number().nullable(),
  maximum: z.number().nullable(),
  isInteger: z.boolean(),
  usage: z.string(),
  placeholder: z.string().nullable(),
  isFixed: z
    .boolean()
    .describe('whether the command line of the coordinator decides: it names files of its machine'),
})
export type RunFormOption = z.infer<typeof RunFormOption>

export const RunFormResource = z.strictObject({
  canCreate: z.boolean().describe('whether this coordinator takes runs from operators'),
  options: z.array(RunFormOption),
})
export type RunFormResource = z.infer<typeof RunFormResource>

export const EventPage = pageOf(LiveEvent)
