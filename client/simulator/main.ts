import { availableParallelism } from 'node:os'
import { z } from 'zod'
import { defineCommand, numeric } from '../../shared/command/command.ts'
import { ENGINE_OPTION, HOME_OPTION, JSON_OPTION } from '../../shared/command/common-options.ts'
import { RUN_OPTIONS, toWords } from '../../shared/command/run-options.ts'
import { interruptSignal } from '../../shared/command/run-program.ts'
import { newRunFolder } from './run-folder.ts'
import { simulate } from './simulate.ts'

export const simulateCommand = defineCommand({
  name: 'simulate',
  summary: 'run a whole federation on this machine: coordinator, clients and real sockets',
  examples: [
    'graft simulate --dataset mnist --partition labels:2 --clients 5 --rounds 2 --seed 7 --json out.json',
    'graft simulate --strategy nt:tree=joint --examples-per-client 2000 --engine wasm',
  ],
  options: {
    ...RUN_OPTIONS,
    workers: numeric(z.int().positive().max(256))
      .optional()
      .describe('processes that the clients are spread over; one a core when not given')
      .meta({ value: 'N' }),
    engine: ENGINE_OPTION,
    home: HOME_OPTION.optional().describe('folder for database, blobs and models; new under runs/'),
    json: JSON_OPTION,
  },
  async run({ workers, engine, home, json, ...options }) {
    const folder = home ?? newRunFolder('simulate')
    await simulate({
      coordinatorWords: [
        ...toWords(options),
        ...jsonWords(json),
        '--home',
        folder,
        '--engine',
        engine,
      ],
      clients: options.clients,
      workers: workers ?? Math.min(options.clients, availableParallelism()),
      engine,
      signal: interruptSignal(),
    })
  },
})

function jsonWords(json: string | true | undefined): string[] {
  if (json === undefined) return []
  return json === true ? ['--json'] : ['--json', json]
}
