import { z } from 'zod'
import { defineCommand, numeric } from '../../shared/command/command.ts'
import { ENGINE_OPTION } from '../../shared/command/common-options.ts'
import { DATA_OPTIONS, ownSourceOf } from '../../shared/command/data-options.ts'
import { interruptSignal } from '../../shared/command/run-program.ts'
import { startEngine } from '../../shared/engine/engine.ts'
import type { WorkerMessage } from '../../shared/protocol/process-messages.ts'
import { readFaultPlan } from './faults/read-fault-plan.ts'
import { runShards } from './worker.ts'

/** One worker process of a simulation: many clients, each the same code as `graft client`. */
export const simulateWorkerCommand = defineCommand({
  name: 'simulate-worker',
  summary: 'run some clients of a simulation (started by graft simulate)',
  examples: ['graft simulate-worker --server http://127.0.0.1:7433 --shards 0,2,4 --clients 5'],
  options: {
    server: z.url().describe('address of the coordinator').meta({ value: 'URL' }),
    token: z
      .string()
      .describe('join token')
      .meta({ value: 'TOKEN', env: 'GRAFT_TOKEN', secret: true }),
    shards: z
      .string()
      .regex(/^\d+(,\d+)*$/, 'must be numbers with commas, as in 0,2,4')
      .transform((text) => text.split(',').map(Number))
      .describe('parts of the partition, one client each')
      .meta({ value: 'I,J,...' }),
    clients: numeric(z.int().positive()).describe('parts there are').meta({ value: 'N' }),
    ...DATA_OPTIONS,
    faults: z.string().min(1).optional().describe('fault plan').meta({ value: 'FILE' }),
    seed: numeric(z.int().nonnegative())
      .default(0)
      .describe('seed of a fault plan that has none')
      .meta({ value: 'N' }),
    updates: z
      .string()
      .min(1)
      .optional()
      .describe('folder of updates that runs with the same training share')
      .meta({ value: 'DIR' }),
    engine: ENGINE_OPTION,
  },
  async run({ engine, server, token, shards, clients, faults, seed, updates, ...data }) {
    const signal = interruptSignal()
    const plan = faults === undefined ? null : await readFaultPlan(faults)
    const { name } = await startEngine(engine)
    await runShards({
      ...{ server, token, shards, clients, plan, seed, signal },
      engineName: name,
      ownSource: ownSourceOf(data, undefined),
      updateFolder: updates ?? null,
      tell: (message) => void tellParent(message),
    })
    await tellParent({ type: 'ended', peakRssMb: process.resourceUsage().maxRSS / 1024 })
  },
})

/** Resolves when it is written: the process ends behind the last message. */
async function tellParent(message: WorkerMessage): Promise<void> {
  if (!process.connected) return
  await new Promise<void>((resolve) => {
    // Whoever started this process may be gone: then nobody is told.
    process.send?.(message, () => {
      resolve()
    })
  })
}
