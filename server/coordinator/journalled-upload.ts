import { z } from 'zod'
import { ERRORS, type ErrorCode } from '../../shared/errors.ts'
import { BlobId, ClientId, RoundNumber, RunId } from '../../shared/ids.ts'
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
export interface QuarantinedUpload extends z.infer<typeof Details> {
  readonly client: ClientId
  readonly sha256: BlobId
  readonly at: Date
}

/** Reads an entry `update:quarantined`. @returns null for what Graft never wrote */
export function parseQuarantined({ at, details }: AuditEntry): QuarantinedUpload | null {
  const parsed = Details.safeParse(details)
  // A client's name may have dots, too.
  const [, client, sha256] =
    /^(.+)\.\d+\.([0-9a-f]{64})\.safetensors$/.exec(parsed.data?.file ?? '') ?? []
  if (!parsed.success || client === undefined || sha256 === undefined) return null
  return { ...parsed.data, client: ClientId.parse(client), sha256: BlobId.parse(sha256), at }
}
