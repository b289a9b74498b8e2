import { readFile, rm } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { defineCommand, numeric } from '../../shared/command/command.ts'
import {
  ENGINE_OPTION,
  HOME_OPTION,
  JSON_OPTION,
  PREFLIGHT_OPTIONS,
} from '../../shared/command/common-options.ts'
import { claimFolder } from '../../shared/command/claim-folder.ts'
import { dataWords, ownSourceOf } from '../../shared/command/data-options.ts'
import { list } from '../../shared/command/list-option.ts'
import { RUN_OPTIONS, roundSizes, toWords } from '../../shared/command/run-options.ts'
import { interruptSignal } from '../../shared/command/run-program.ts'
import { createClock } from '../../shared/command/run-clock.ts'
import { writeJson } from '../../shared/command/write-json.ts'
import { RunReport } from '../../shared/protocol/run-report.ts'
import type { SimulationReport } from '../../shared/protocol/simulation-report.ts'
import { partitionPicture } from '../../shared/data/partition-picture.ts'
import { pictureOptionsOf } from '../../shared/data/picture.ts'
import { shardName } from '../../shared/data/shard.ts'
import { deadlineOf } from './deadline.ts'
import { assertSurvivable } from './faults/assert-survivable.ts'
import { readFaultPlan } from './faults/read-fault-plan.ts'
import { lanesOf, machine } from '../../shared/command/lanes.ts'
import { runInLanes } from '../../shared/command/run-lanes.ts'
import { holdingsOf } from './holdings.ts'
import { comparisonTable } from './comparison.ts'
import { finishedReport, type PlannedRun, planRuns } from './study.ts'
import { newRunFolder } from './run-folder.ts'
import { commandLine } from './report/command-line.ts'
import { claimReportFolder, writeReport } from './report/write-report.ts'
import { forecast } from './forecast.ts'
import { simulate } from './simulate.ts'

export const simulateCommand = defineCommand({
  name: 'simulate',
  summary: 'run a whole federation on this machine: coordinator, clients and real sockets',
  examples: [
    'graft simulate --dataset mnist --partition labels:2 --clients 5 --rounds 2 --seed 7 --json out.json',
    'graft simulate --data flowers/ --image-size 32x32 --model lenet --clients 4 --partition dirichlet:0.5 --proxy 200',
    'graft simulate --strategy fedavg,nt,nt:tree=joint --examples-per-client 2000 --rehearse',
    'graft simulate --clients 10 --rounds 3 --quorum 7 --deadline 60 --faults plan.json',
    'graft simulate --strategy fedavg,kf-linear --seeds 1,2,3 --home study    (again after Ctrl-C: it goes on)',
    'graft simulate --strategy fedavg,nt --seeds 1,2,3 --rounds 5 --report report/    (a page with charts)',
  ],
  options: {
    ...RUN_OPTIONS,
    strategy: RUN_OPTIONS.strategy
      .describe(`${RUN_OPTIONS.strategy.description}; several with commas`)
      .meta({ value: 'SPEC' }),
    deadline: RUN_OPTIONS.deadline
      .unwrap()
      .optional()
      .describe(
        'seconds a round waits for updates; 600, and without --faults 30 a client if that is more',
      )
      .meta({ value: 'SECONDS' }),
    seeds: list(numeric(z.int().nonnegative()))
      .optional()
      .describe('several seeds, instead of --seed: each strategy runs with each of them')
      .meta({ value: 'A,B' }),
    workers: numeric(z.int().positive().max(256))
      .optional()
      .describe('processes that the clients are spread over; one a core when not given')
      .meta({ value: 'N' }),
    parallel: numeric(z.int().positive().max(64))
      .optional()
      .describe('runs of a study beside each other; by cores and free memory when not given')
      .meta({ value: 'N' }),
    faults: z
      .string()
      .min(1)
      .optional()
      .describe('JSON file that says what goes wrong for which client in which round')
      .meta({ value: 'FILE' }),
    ...PREFLIGHT_OPTIONS,
    engine: ENGINE_OPTION,
    home: HOME_OPTION.optional().describe(
      'folder for databases, blobs and models; new under runs/; one with unfinished runs goes on',
    ),
    json: JSON_OPTION.describe(
      'write the report as JSON, to FILE or stdout; a list for several runs',
    ).meta({ value: '[FILE]' }),
    report: z
      .string()
      .min(1)
      .optional()
      .describe('folder for a page with charts (index.html), results.json and results.csv')
      .meta({ value: 'DIR' }),
  },
  async run({ workers, parallel, faults, engine, home, json, report, strategy, ...given }) {
    const { seeds, preflight: isForecast, ignorePreflight, ...options } = given
    const of = { clients: given.clients, hasFaults: faults !== undefined }
    const run = { ...options, deadline: deadlineOf(given.deadline, of) }
    ownSourceOf(run, run.dataset)
    const plan = faults === undefined ? null : await readFaultPlan(faults)
    if (report !== undefined && !isForecast) await claimReportFolder(report)
    const folder = home ?? (isForecast ? 'runs' : newRunFolder('simulate'))
    const signal = interruptSignal()
    const strategies = strategy.split(',')
    const runs = planRuns(strategies, seeds ?? [run.seed], folder)
    if (plan !== null)
      for (const { seed } of runs) assertSurvivable(plan, { ...sizesOf(run), seed })
    const isStudy = runs.length > 1
    if (isStudy && !isForecast) {
      const claim = { ...run, seed: undefined, engine, ...(plan && { faults: plan }) }
      await claimFolder(folder, 'simulation', claim)
    }
    const say = (text: string) => void process.stderr.write(`${text}\n`)
    const clock = createClock(runs.length)
    const lanes = Math.min(runs.length, parallel ?? lanesOf(machine()))
    const cores = Math.max(1, Math.floor(availableParallelism() / lanes))
    const updateFolder = strategies.length > 1 ? join(folder, 'updates') : null

    const processes = workers ?? Math.min(run.clients, cores)
    const wordsOf = ({ strategy, seed, folder: own }: PlannedRun) => [
      ...toWords({ ...run, strategy, seed }),
      ...['--home', own, '--engine', engine, '--beside-workers', String(processes)],
      ...(ignorePreflight ? ['--ignore-preflight'] : []),
    ]
    if (isForecast) return forecast(runs.map(wordsOf), json === true ? 'stderr' : 'stdout')

    async function act(planned: PlannedRun, either: AbortSignal): Promise<RunReport> {
      const name = `${planned.strategy}, seed ${planned.seed}`
      const before = isStudy ? await finishedReport(planned) : undefined
      const report =
        before ??
        (await withSimulation(
          planned.folder,
          await simulate({
            coordinatorWords: wordsOf(planned),
            clients: run.clients,
            workers: processes,
            engine,
            dataWords: dataWords(run),
            home: planned.folder,
            faults: faults === undefined ? null : { file: faults, seed: planned.seed },
            updateFolder,
            say: (line) => {
              say(isStudy ? `${name}: ${line}` : line)
            },
            // Runs beside each other would draw over each other; a report on stdout must be the only thing there.
            screen: lanes > 1 ? 'none' : json === true ? 'stderr' : 'stdout',
            signal: either,
          }),
        ))
      if (isStudy) say(clock.done(name, { isOld: before !== undefined }))
      return report
    }

    // Strategies of a seed share the local training of its first run.
    const groupOf = ({ seed }: PlannedRun) => seed
    const reports = await runInLanes(runs, { lanes, act, groupOf, signal })
    // Nobody asks for them any more.
    if (updateFolder !== null) await rm(updateFolder, { recursive: true, force: true })
    const screen = json === true ? process.stderr : process.stdout
    // Of the first seed: another one deals anew.
    const clients = holdingsOf(reports[0]!).map(({ client, counts }) => ({ name: client, counts }))
    if (clients.length > 0) {
      const lines = partitionPicture({ proxy: null, clients }, pictureOptionsOf(screen))
      screen.write(`${run.partition}, seed ${runs[0]!.seed}: ${lines.join('\n')}\n`)
    }
    if (isStudy) screen.write(`${comparisonTable(reports)}\n`)
    screen.write(`Reports, models and databases: ${folder}\n`)
    if (report !== undefined) {
      const command = commandLine(process.argv.slice(2))
      screen.write(`Report: ${await writeReport(report, { command, runs: reports })}\n`)
    }
    if (json !== undefined) await writeJson(isStudy ? reports : reports[0], json)
  },
})

/** The report that the coordinator has left, with what only the simulation knows; in its file, too. */
async function withSimulation(folder: string, simulation: SimulationReport): Promise<RunReport> {
  const file = join(folder, 'report.json')
  const report = await readReport(file)
  const peakRssMb = simulation.peakRssMb + (report.rounds.at(-1)?.peakRssMb ?? 0)
  const whole: RunReport = { ...report, simulation: { ...simulation, peakRssMb } }
  await writeJson(whole, file)
  // The next run in this folder has events of its own.
  await rm(join(folder, 'events.jsonl'), { force: true })
  return whole
}

function sizesOf(of: Parameters<typeof roundSizes>[0] & { readonly rounds: number }) {
  const { clients, rounds } = of
  return {
    clients: Array.from({ length: clients }, (_, index) => shardName({ index, count: clients })),
    rounds,
    quorum: roundSizes(of).quorum,
  }
}

async function readReport(file: string): Promise<RunReport> {
  return RunReport.parse(JSON.parse(await readFile(file, 'utf8')))
}
