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

/** Whose neurons make each group, in sums: what is left of a ledger when nobody asks for single neurons. */
export const LedgerSummary = z.strictObject({
  parents: z.array(z.string().min(1)).describe('client ids, in the order of fusion'),
  groups: z
    .array(
      z.strictObject({
        name: z.string().min(1).describe('the first layer that makes these neurons'),
        neurons: index.describe('how many there are'),
        shares: z
          .array(z.number().min(0).max(1))
          .describe(
            'of each parent in these neurons, in the order of `parents`; six significant digits. They sum to less than 1 where nothing went into some neurons',
          ),
      }),
    )
    .describe('groups of neurons, input side first, without the classes'),
})
export type LedgerSummary = z.infer<typeof LedgerSummary>
