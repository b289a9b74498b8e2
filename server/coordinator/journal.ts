import { z } from 'zod'
import { ERRORS, type ErrorCode } from '../../shared/errors.ts'
import { BlobId, ClientId, RoundNumber } from '../../shared/ids.ts'
import { DiversityReport } from '../../shared/protocol/diversity-report.ts'
import { UpdateChecks } from '../../shared/protocol/update-checks.ts'
import type { JournalEntry } from '../store/store.ts'
import type { RoundEvent } from './round-state.ts'

const seconds = z.number().nonnegative()
const Candidate = z.strictObject({ blob: BlobId, seconds })
const FusedCandidate = Candidate.extend({
  ledger: BlobId.optional(),
  reason: z.string().min(1).optional(),
  diversity: DiversityReport.optional(),
  checks: UpdateChecks.optional(),
  state: BlobId.optional(),
})
const round = RoundNumber
/** Who asked for it, as in the audit log. */
const by = z.string()

/** The JSON form of every event that a journal may hold; what the state machine decides from again. */
const StoredEvent = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('client-ready'), round, client: ClientId }),
  z.strictObject({ type: z.literal('client-left'), round, client: ClientId }),
  z.strictObject({
    type: z.literal('update-received'),
    round,
    client: ClientId,
    update: z.strictObject({
      blob: BlobId,
      numExamples: z.int().positive(),
      classCounts: z.array(z.int().nonnegative()),
      seconds: z.strictObject({ train: seconds, attribute: seconds, upload: seconds }),
      sizeBytes: z.int().positive(),
    }),
  }),
  z.strictObject({ type: z.literal('deadline-passed'), round }),
  z.strictObject({ type: z.literal('round-ended'), round, by }),
  z.strictObject({ type: z.literal('client-banned'), round, client: ClientId, by }),
  z.strictObject({ type: z.literal('model-chosen'), round, model: BlobId, by }),
  z.strictObject({ type: z.literal('model-fused'), round, fused: FusedCandidate }),
  z.strictObject({
    type: z.literal('model-tuned'),
    round,
    tuned: Candidate.extend({ isTuned: z.boolean(), epochs: z.int().nonnegative() }),
  }),
  z.strictObject({
    type: z.literal('model-evaluated'),
    round,
    publication: z.strictObject({ blob: BlobId, isNew: z.boolean(), state: BlobId.optional() }),
  }),
  z.strictObject({
    type: z.literal('work-failed'),
    round,
    code: z.enum(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]]),
  }),
]) satisfies z.ZodType<RoundEvent>

export interface PastEvent {
  readonly event: RoundEvent
  readonly at: Date
}

/** Reads a run's journal back. @throws z.ZodError when the database holds what Graft never wrote */
export function parseJournal(entries: readonly JournalEntry[]): PastEvent[] {
  return entries.map(({ event, at }) => ({ event: StoredEvent.parse(event), at }))
}
