import { z } from 'zod'

const share = z.number().min(0).max(1)
const id = z.string().min(1)

/** How far the parents of a fusion are from each other, as it is reported. */
export const DiversityReport = z.strictObject({
  parents: z.array(id).describe('those looked at, in the order of their ids; at most 8'),
  levels: z.array(z.string()).describe('names of the levels of the network, input side first'),
  pairs: z.array(
    z.strictObject({
      parents: z.tuple([id, id]),
      weightDistance: z
        .number()
        .nonnegative()
        .nullable()
        .describe(
          '|a - b| / sqrt(|a|^2 + |b|^2) of the kernels after alignment: 0 a copy, about 1 unrelated; null: of other widths',
        ),
      disagreement: share
        .nullable()
        .describe('share of proxy examples taken for different classes; null: no proxy set'),
      cka: z
        .array(share.nullable())
        .describe('linear CKA at each level, 1 alike; empty: no proxy set'),
    }),
  ),
  forecast: z
    .strictObject({
      probability: share.describe(
        'that nt, fine-tuned, is more accurate than the best parent, fine-tuned alike',
      ),
      isDiverseEnough: z.boolean().describe('the probability is at least a half'),
    })
    .nullable()
    .describe('null: no proxy set'),
})
export type DiversityReport = z.infer<typeof DiversityReport>
