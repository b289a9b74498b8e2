import { z } from 'zod'
import { ClientId } from '../ids.ts'

const size = z.number().nonnegative()

/** What the coordinator found when it compared the updates of a round with each other. */
export const UpdateChecks = z.strictObject({
  threshold: z
    .number()
    .positive()
    .describe('robust deviations of the logarithm, from which on an update is an outlier'),
  median: z
    .strictObject({ norm: size, distance: size })
    .nullable()
    .describe('of all updates; null: of fewer than four, which are not compared'),
  outliers: z
    .array(
      z.strictObject({
        client: ClientId,
        norm: size.describe('L2 of what its training changed'),
        distance: size.describe('L2 to the coordinate-wise median of all updates'),
        score: z.number().describe('robust deviations, of the larger of the two'),
        isSetAside: z.boolean().describe('whether it was left out of the fusion and quarantined'),
      }),
    )
    .describe('by client id'),
  attribution: z
    .array(
      z.strictObject({
        client: ClientId,
        correlations: z
          .array(z.number().min(-1).max(1).nullable())
          .describe('of each group of neurons, input side first; null: all scores are equal'),
      }),
    )
    .describe(
      'rank correlation of the scores that a client sent with those of its network on proxy examples, for some clients; it differs with the data, and decides nothing',
    ),
})
export type UpdateChecks = z.infer<typeof UpdateChecks>
