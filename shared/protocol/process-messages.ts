import { z } from 'zod'
import { FaultEvent, ReusedUpdate } from './simulation-report.ts'

/** What a coordinator tells the process that started it, once clients may connect. */
export const CoordinatorListening = z.strictObject({ type: z.literal('listening'), url: z.url() })
export type CoordinatorListening = z.infer<typeof CoordinatorListening>

/** What a worker of a simulation tells the process that started it. */
export const WorkerMessage = z.discriminatedUnion('type', [
  FaultEvent.extend({ type: z.literal('fault') }),
  ReusedUpdate.extend({ type: z.literal('reused') }),
  /** Its clients have ended; the last message. */
  z.strictObject({ type: z.literal('ended'), peakRssMb: z.number().nonnegative() }),
])
export type WorkerMessage = z.infer<typeof WorkerMessage>
