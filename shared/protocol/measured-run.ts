import { z } from 'zod'

/** What the reports of measurements begin with. */
export const MeasuredRun = z.strictObject({
  version: z.string().describe('of Graft'),
  engine: z.string().describe('TensorFlow.js engine'),
  settings: z.record(z.string(), z.unknown()).describe('everything that decides the result'),
})
