import { z } from 'zod'

/** What a coordinator tells the process that started it, once clients may connect. */
export const CoordinatorListening = z.strictObject({ type: z.literal('listening'), url: z.url() })
export type CoordinatorListening = z.infer<typeof CoordinatorListening>
