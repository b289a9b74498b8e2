import { z } from 'zod'
import { ClientId, RoundNumber } from '../ids.ts'

/** Something that a fault plan did to a client. */
export const FaultEvent = z.strictObject({
  client: ClientId,
  round: RoundNumber.describe('0: before the client had joined'),
  fault: z.string().min(1).describe('as the plan names it'),
  detail: z.string().describe('what was done; one line'),
  isGone: z
    .literal(true)
    .optional()
    .describe('the client does not come back in this run; absent when it does'),
})
export type FaultEvent = z.infer<typeof FaultEvent>

/** An update that was not trained again, as another run had trained the very same. */
export const ReusedUpdate = z.strictObject({ client: ClientId, round: RoundNumber })
export type ReusedUpdate = z.infer<typeof ReusedUpdate>

/** What only a simulation knows of its run; nothing here decides the result but the faults. */
export const SimulationReport = z.strictObject({
  workers: z.int().positive().describe('processes that the clients were spread over'),
  peakRssMb: z
    .number()
    .nonnegative()
    .describe(
      'peaks of coordinator, workers and simulator, added up, MiB: all together never had more',
    ),
  faults: z.array(FaultEvent).describe('what the fault plan did to whom, by round and client'),
  reused: z
    .array(ReusedUpdate)
    .describe('updates of an earlier run of the study with the same training; seconds are of then'),
})
export type SimulationReport = z.infer<typeof SimulationReport>
