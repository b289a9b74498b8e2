import { z } from 'zod'
import { ClientId, RoundNumber } from '../ids.ts'

const seconds = z.number().nonnegative().max(86_400)

/** Whom a fault strikes; what is not said is all of them. */
const aim = {
  clients: z
    .array(ClientId)
    .nonempty()
    .optional()
    .describe('names, as in client-03; all when absent'),
  probability: z
    .number()
    .positive()
    .max(1)
    .optional()
    .describe('of each client and round, drawn from the seed; 1 when absent'),
}
const inRounds = {
  ...aim,
  rounds: z
    .array(z.number().int().positive().pipe(RoundNumber))
    .nonempty()
    .optional()
    .describe('1-based; all when absent'),
}

/** One fault of a plan. Where a clock decides, and not an event, the field says `seconds`. */
export const Fault = z.discriminatedUnion(
  'fault',
  [
    z.strictObject({
      fault: z.literal('late').describe('the client connects for the first time after a while'),
      ...aim,
      seconds,
    }),
    z.strictObject({
      fault: z.literal('delay').describe('it waits before it trains'),
      ...inRounds,
      seconds,
    }),
    z.strictObject({
      fault: z.literal('slow').describe('it trains so many times as long, by waiting behind'),
      ...inRounds,
      factor: z.number().gt(1).max(1000),
    }),
    z
      .strictObject({
        fault: z.literal('leave').describe('it ends its connection, and forgets its update'),
        ...inRounds,
        when: z.enum(['before-upload', 'after-upload']),
        back: z
          .enum(['same-round', 'next-round', 'never'])
          .describe('same-round: at once; next-round: when it hears that this one is over'),
      })
      .refine(
        ({ when, back }) => when === 'before-upload' || back !== 'next-round',
        // Its round may be over before it listens: a clock would decide when it comes back.
        'a client that leaves after-upload comes back in the same-round, or never',
      ),
    z.strictObject({
      fault: z.literal('cut').describe('its network breaks; it goes on by itself when it is back'),
      ...inRounds,
      at: z.enum(['training', 'upload']).describe('training: before the first step'),
      byte: z
        .int()
        .nonnegative()
        .optional()
        .describe('of the upload, as the wire counts; 0 when absent'),
      seconds: seconds.optional().describe('without a network; 0 when absent'),
    }),
    z
      .strictObject({
        fault: z.literal('corrupt').describe('it sends an update that is not what it has trained'),
        ...inRounds,
        how: z
          .enum(['nan', 'shape', 'scale'])
          .describe('a weight that is no number, of another shape, or all changed by a multiple'),
        factor: z
          .number()
          .gt(1)
          .max(1e6)
          .optional()
          .describe('of scale: times what training has changed; 50 when absent'),
      })
      .refine(({ how, factor }) => how === 'scale' || factor === undefined, {
        path: ['factor'],
        error: 'is only of an update that is corrupt by scale',
      }),
    z.strictObject({
      fault: z.literal('flip').describe('a bit of its upload is flipped on the wire'),
      ...inRounds,
      byte: z
        .int()
        .min(1024)
        .optional()
        .describe('of the upload, as the wire counts; 4096 when absent'),
      times: z
        .int()
        .min(1)
        .max(3)
        .optional()
        .describe('attempts that are spoilt; after 3 the client gives the round up; 1 when absent'),
    }),
  ],
  { error: 'must be one of late, delay, slow, leave, cut, corrupt and flip' },
)
export type Fault = z.infer<typeof Fault>

/** What `graft simulate --faults FILE` reads. The same plan does the same to the same clients. */
export const FaultPlan = z
  .strictObject({
    seed: z.int().nonnegative().optional().describe("of what is drawn; the run's when absent"),
    faults: z.array(Fault).describe('each strikes on its own; several may meet'),
  })
  .meta({ title: 'Graft fault plan' })
export type FaultPlan = z.infer<typeof FaultPlan>
