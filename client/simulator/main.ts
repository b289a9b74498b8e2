import { readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { defineCommand, numeric } from '../../shared/command/command.ts'
import { ENGINE_OPTION, HOME_OPTION, JSON_OPTION } from '../../shared/command/common-options.ts'
import { dataWords, ownSourceOf } from '../../shared/command/data-options.ts'
import { RUN_OPTIONS, toWords } from '../../shared/command/run-options.ts'
import { interruptSignal } from '../../shared/command/run-program.ts'
import { writeJson } from '../../shared/command/write-json.ts'
import { RunReport } from '../../shared/protocol/run-report.ts'
import { comparisonTable } from './comparison.ts'
import { newRunFolder } from './run-folder.ts'
import { simulate } from './simulate.ts'

export const simulateCommand = defineCommand({
  name: 'simulate',
  summary: 'run a whole federation on this machine: coordinator, clients and real sockets',
  examples: [
    'graft simulate --dataset mnist --partition labels:2 --clients 5 --rounds 2 --seed 7 --json out.json',
    'graft simulate --data flowers/ --image-size 32x32 --model lenet --clients 4 --partition dirichlet:0.5 --proxy 200',
    'graft simulate --strategy fedavg,nt,nt:tree=joint --examples-per-client 2000 --rehearse',
  ],
  options: {
    ...RUN_OPTIONS,
    strategy: RUN_OPTIONS.strategy
      .describe(`${RUN_OPTIONS.strategy.description}; several with commas`)
      .meta({ value: 'SPEC' }),
    workers: numeric(z.int().positive().max(256))
      .optional()
      .describe('processes that the clients are spread over; one a core when not given')
      .meta({ value: 'N' }),
    engine: ENGINE_OPTION,
    home: HOME_OPTION.optional().describe('folder for database, blobs and models; new under runs/'),
    json: JSON_OPTION.describe(
      'write the report as JSON, to FILE or stdout; a list for several strategies',
    ).meta({ value: '[FILE]' }),
  },
  async run({ workers, engine, home, json, strategy, ...run }) {
    ownSourceOf(run, run.dataset)
    const folder = home ?? newRunFolder('simulate')
    const signal = interruptSignal()
    const reports: RunReport[] = []
    const strategies = strategy.split(',')
    for (const each of strategies) {
      const options = { ...run, strategy: each }
      const place = strategies.length === 1 ? folder : join(folder, each.replace(/[^\w.=-]/g, '_'))
      await simulate({
        coordinatorWords: [...toWords(options), '--home', place, '--engine', engine],
        clients: options.clients,
        workers: workers ?? Math.min(options.clients, availableParallelism()),
        engine,
        dataWords: dataWords(run),
        // A report on stdout must be the only thing there.
        screen: json === true ? 'stderr' : 'stdout',
        signal,
      })
      reports.push(await readReport(join(place, 'report.json')))
    }
    const screen = json === true ? process.stderr : process.stdout
    if (reports.length > 1) screen.write(`${comparisonTable(reports)}\n`)
    screen.write(`Reports, models and databases: ${folder}\n`)
    const [report] = reports
    if (json !== undefined) await writeJson(reports.length === 1 ? report : reports, json)
  },
})

async function readReport(file: string): Promise<RunReport> {
  return RunReport.parse(JSON.parse(await readFile(file, 'utf8')))
}
