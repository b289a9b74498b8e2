import { z } from 'zod'

const index = z.int().nonnegative()

/** A parent's neuron in a fused neuron; a tuple, as a report has thousands of them. */
const Contribution = z
  .tuple([
    index.describe('parent, an index into `parents`'),
    index.describe('its neuron, an index into the parent’s group'),
    z.number().positive().describe('its share of the fused neuron; they sum to 1'),
    z.number().nullable().describe('what it was weighed or chosen by; null where nothing was'),
  ])
  .describe('[parent, neuron, share, score], six significant digits')

/** Whose neurons made each neuron of a fused network, as it is stored and reported. */
export const LedgerReport = z.strictObject({
  parents: z.array(z.string().min(1)).describe('client ids, in the order of fusion'),
  groups: z
    .array(
      z.strictObject({
        name: z.string().min(1).describe('the first layer that makes these neurons'),
        neurons: z
          .array(z.array(Contribution))
          .describe('what each fused neuron is made of; empty where nothing went in'),
      }),
    )
    .describe('groups of neurons, input side first, without the classes'),
})
export type LedgerReport = z.infer<typeof LedgerReport>
