import { z } from 'zod'

/**
 * A client's name, chosen by its operator and unique in a federation. It orders every sum and every
 * fusion tree, so a run gives the same bytes whoever uploads first; compare with {@link compareIds}.
 */
export const ClientId = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9._-]{0,62}$/,
    'must be 1 to 63 of a-z, 0-9, ".", "_" and "-", and begin with a letter or a digit',
  )
  .brand<'ClientId'>()
export type ClientId = z.infer<typeof ClientId>

/** 1-based; round 0 is the untrained global model. */
export const RoundNumber = z.int().nonnegative().brand<'RoundNumber'>()
export type RoundNumber = z.infer<typeof RoundNumber>

/** Content hash of a stored blob: SHA-256 in lower-case hex, so that equal blobs have equal ids. */
export const BlobId = z
  .string()
  .regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hexadecimal digits')
  .brand<'BlobId'>()
export type BlobId = z.infer<typeof BlobId>

/** One run: a fixed number of rounds under fixed settings. Minted by the coordinator. */
export const RunId = z.uuid().brand<'RunId'>()
export type RunId = z.infer<typeof RunId>

/** Code-unit order, the same on every machine and in every locale. */
export function compareIds(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
