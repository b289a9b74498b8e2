import { z } from 'zod'
import { GraftError } from '../errors.ts'
import { BlobId } from '../ids.ts'

const word = z.string().min(1).max(256)
const number = z.number()

/**
 * What a run on the coordinator's own data fixes for everybody: clients bring data of the same shape and
 * classes, and scale them by the same statistics. Absent for a data set that all can have by name.
 */
export const RunData = z.strictObject({
  /** Of one input, e.g. [28, 28, 1]. */
  inputShape: z.array(z.int().positive()).min(1).max(3).describe('shape of one input'),
  numClasses: z.int().min(2).max(1000),
  /** By class number; absent where the data have numbers only. */
  classNames: z.array(word).max(1000).optional().describe('by class number'),
  /** Of a table, in the order of its inputs. */
  columns: z
    .array(
      z.strictObject({
        name: word,
        /** One input each, 1 where the cell is that; absent where the column is one number. */
        categories: z.array(word).max(100).optional(),
      }),
    )
    .max(10_000)
    .optional()
    .describe('of a table, in the order of its inputs'),
  /** Of the coordinator's training part, by channel (the last axis of an input). */
  normalisation: z
    .strictObject({
      mean: z.array(number).max(20_000),
      std: z.array(number.positive()).max(20_000),
    })
    .describe('(value - mean) / std of each channel; a byte counts as value / 255'),
  /** Of the coordinator's examples: whether others are the same is all that it tells. */
  sha256: BlobId.describe('of the examples, before they are scaled'),
})
export type RunData = z.infer<typeof RunData>

/**
 * Checks what is to be announced before anybody joins; clients would refuse it, one after the other.
 * @throws GraftError GRAFT_DATA_INVALID naming what is too long, or empty
 */
export function assertCanAnnounce(data: RunData): void {
  const parsed = RunData.safeParse(data)
  if (parsed.success) return
  const { path, message } = parsed.error.issues[0]!
  throw new GraftError(
    'GRAFT_DATA_INVALID',
    `A run cannot announce these data: ${path.join('.')}: ${message}. Names may have 1 to 256 characters, and inputs 20,000 channels.`,
  )
}
