import { z } from 'zod'
import { ERRORS, type ErrorCode } from '../../shared/errors.ts'
import { RoundNumber, RunId } from '../../shared/ids.ts'
import { type FileOwner, ownerOf } from '../store/quarantine-files.ts'
import type { AuditEntry } from '../store/store.ts'

const seconds = z.number().nonnegative()

/** What the audit log keeps of an upload that is set aside; fields that an older Graft did not write are optional. */
const Details = z.object({
  run: RunId.optional(),
  round: RoundNumber,
  file: z.string(),
  code: z.enum(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]]),
  problem: z.string(),
  seconds: z.strictObject({ train: seconds, attribute: seconds, upload: seconds }).optional(),
})

/** An upload that is set aside, and why. */
export interface QuarantinedUpload extends z.infer<typeof Details>, FileOwner {
  readonly at: Date
}

/** Reads an entry `update:quarantined`. @returns null for what Graft never wrote */
export function parseQuarantined({ at, details }: AuditEntry): QuarantinedUpload | null {
  const parsed = Details.safeParse(details)
  const owner = ownerOf(parsed.data?.file ?? '')
  if (!parsed.success || owner === null) return null
  return { ...parsed.data, ...owner, at }
}
