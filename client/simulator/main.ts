import { readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { defineCommand, numeric } from '../../shared/command/command.ts'
import { ENGINE_OPTION, HOME_OPTION, JSON_OPTION } from '../../shared/command/common-options.ts'
import { claimFolder } from '../../shared/command/claim-folder.ts'
import { dataWords, ownSourceOf } from '../../shared/command/data-options.ts'
import { list } from '../../shared/command/list-option.ts'
import { RUN_OPTIONS, toWords } from '../../shared/command/run-options.ts'
import { interruptSignal } from '../../shared/command/run-program.ts'
import { createClock } from '../../shared/command/run-clock.ts'
import { writeJson } from '../../shared/command/write-json.ts'
import { RunReport } from '../../shared/protocol/run-report.ts'
import { comparisonTable } from './comparison.ts'
import { finishedReport, planRuns } from './study.ts'
import { newRunFolder } from './run-folder.ts'
import { simulate } from './simulate.ts'

export const simulateCommand = defineCommand({
  name: 'simulate',
  summary: 'run a whole federation on this machine: coordinator, clients and real sockets',
  examples: [
    'graft simulate --dataset mnist --partition labels:2 --clients 5 --rounds 2 --seed 7 --json out.json',
    'graft simulate --data flowers/ --image-size 32x32 --model lenet --clients 4 --partition dirichlet:0.5 --proxy 200',
    'graft simulate --strategy fedavg,nt,nt:tree=joint --examples-per-client 2000 --rehearse',
    'graft simulate --strategy fedavg,kf-linear --seeds 1,2,3 --home study    (again after Ctrl-C: it goes on)',
  ],
  options: {
    ...RUN_OPTIONS,
    strategy: RUN_OPTIONS.strategy
      .describe(`${RUN_OPTIONS.strategy.description}; several with commas`)
      .meta({ value: 'SPEC' }),
    seeds: list(numeric(z.int().nonnegative()))
      .optional()
      .describe('several seeds, instead of --seed: each strategy runs with each of them')
      .meta({ value: 'A,B' }),
    workers: numeric(z.int().positive().max(256))
      .optional()
      .describe('processes that the clients are spread over; one a core when not given')
      .meta({ value: 'N' }),
    engine: ENGINE_OPTION,
    home: HOME_OPTION.optional().describe(
      'folder for databases, blobs and models; new under runs/; one with unfinished runs goes on',
    ),
    json: JSON_OPTION.describe(
      'write the report as JSON, to FILE or stdout; a list for several runs',
    ).meta({ value: '[FILE]' }),
  },
  async run({ workers, engine, home, json, strategy, seeds, ...run }) {
    ownSourceOf(run, run.dataset)
    const folder = home ?? newRunFolder('simulate')
    const signal = interruptSignal()
    const runs = planRuns(strategy.split(','), seeds ?? [run.seed], folder)
    const isStudy = runs.length > 1
    if (isStudy) await claimFolder(folder, 'simulation', { ...run, seed: undefined, engine })
    const say = (text: string) => void process.stderr.write(`${text}\n`)
    const clock = createClock(runs.length)
    const reports: RunReport[] = []
    for (const planned of runs) {
      const name = `${planned.strategy}, seed ${planned.seed}`
      const before = isStudy ? await finishedReport(planned, run.rounds) : undefined
      if (before === undefined) {
        const options = { ...run, strategy: planned.strategy, seed: planned.seed }
        await simulate({
          coordinatorWords: [...toWords(options), '--home', planned.folder, '--engine', engine],
          clients: options.clients,
          workers: workers ?? Math.min(options.clients, availableParallelism()),
          engine,
          dataWords: dataWords(run),
          // A report on stdout must be the only thing there.
          screen: json === true ? 'stderr' : 'stdout',
          signal,
        })
      }
      reports.push(before ?? (await readReport(join(planned.folder, 'report.json'))))
      if (isStudy) say(clock.done(name, { isOld: before !== undefined }))
    }
    const screen = json === true ? process.stderr : process.stdout
    if (isStudy) screen.write(`${comparisonTable(reports)}\n`)
    screen.write(`Reports, models and databases: ${folder}\n`)
    if (json !== undefined) await writeJson(isStudy ? reports : reports[0], json)
  },
})

async function readReport(file: string): Promise<RunReport> {
  return RunReport.parse(JSON.parse(await readFile(file, 'utf8')))
}
