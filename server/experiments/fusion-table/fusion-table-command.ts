import { join } from 'node:path'
import { z } from 'zod'
import { defineCommand, numeric } from '../../../shared/command/command.ts'
import { ENGINE_OPTION, HOME_OPTION, JSON_OPTION } from '../../../shared/command/common-options.ts'
import { lanesOf, machine } from '../../../shared/command/lanes.ts'
import { list, whole } from '../../../shared/command/list-option.ts'
import { interruptSignal } from '../../../shared/command/run-program.ts'
import { writeJson } from '../../../shared/command/write-json.ts'
import { findDataset } from '../../../shared/data/datasets.ts'
import { type EngineChoice, startEngine } from '../../../shared/engine/engine.ts'
import type { FusionTableReport } from '../../../shared/protocol/fusion-table-report.ts'
import { GRAFT_VERSION } from '../../../shared/protocol/graft-version.ts'
import { parseMethod } from '../../fusion/strategies.ts'
import { shortHash } from '../short-hash.ts'
import {
  assertPoolSuffices,
  type CaseName,
  casesOf,
  type FusionTableSettings,
  measureCase,
} from './fusion-case.ts'
import { type CaseProcesses, runCases } from './run-cases.ts'
import { caseLine, summarise, summaryTable } from './table-summary.ts'

const METHODS =
  'fedavg,nt,nt:importance=attribution,hf-linear,kf-linear,kf-linear:scores=uniform,kf-gradient,otfusion,git-rebasin'

/** `graft experiment fusion-table`. */
export const fusionTableCommand = defineCommand({
  name: 'fusion-table',
  summary: 'every method beside parents and ensemble, right after fusion and tuned',
  examples: [
    'graft experiment fusion-table --json table.json    (again after Ctrl-C: it goes on)',
    'graft experiment fusion-table --dataset mnist --parents 2 --seeds 1 --methods nt,kf-linear',
    'graft experiment fusion-table --judge-on unused --seeds 4,5 --tune-epochs 0 --methods kf-linear,kf-linear:ridge=1e-1',
  ],
  options: {
    dataset: list(z.string())
      .default(['mnist', 'fashion-mnist'])
      .describe('data sets')
      .meta({ value: 'A,B' }),
    parents: list(whole).default([2, 4, 8]).describe('numbers of parents').meta({ value: 'A,B' }),
    seeds: list(numeric(z.int().nonnegative()))
      .default([1, 2, 3])
      .describe('seeds')
      .meta({ value: 'A,B' }),
    methods: list(z.string())
      .default(METHODS.split(','))
      .describe('strategies, with options as --strategy has them')
      .meta({ value: 'A,B' }),
    model: z.string().default('mlp:784-256-10').describe('architecture').meta({ value: 'SPEC' }),
    partition: z
      .string()
      .default('dirichlet-ordered')
      .describe('how the training images are dealt to the parents')
      .meta({ value: 'SPEC' }),
    epochs: whole.default(10).describe('epochs a parent trains').meta({ value: 'N' }),
    zeroShotImages: whole
      .default(400)
      .describe('proxy images for fusion without tuning')
      .meta({ value: 'N' }),
    tunedImages: whole
      .default(2000)
      .describe('proxy images for fusion and tuning')
      .meta({ value: 'N' }),
    tuneEpochs: numeric(z.int().nonnegative())
      .default(600)
      .describe('epochs of tuning')
      .meta({ value: 'N' }),
    judgeOn: z
      .enum(['test', 'unused'])
      .default('test')
      .describe(
        'images that accuracies are of: unused proxy images, to choose settings by, or test',
      )
      .meta({ value: 'SET' }),
    home: HOME_OPTION.optional().describe(
      'folder of finished cases; under runs/, one for these options, when not given',
    ),
    parallel: numeric(z.int().positive().max(64))
      .optional()
      .describe('cases beside each other; by cores and free memory when not given')
      .meta({ value: 'N' }),
    engine: ENGINE_OPTION,
    json: JSON_OPTION,
  },
  async run({ dataset, engine, home, parallel, json, ...rest }) {
    const settings = { datasets: dataset, ...rest }
    // Wrong names are said before an hour of training.
    settings.methods.forEach(parseMethod)
    settings.datasets.forEach(findDataset)
    assertPoolSuffices(settings)
    const say = (text: string) => void process.stderr.write(`${text}\n`)
    const [first, ...others] = casesOf(settings)
    const signal = interruptSignal()
    const lanes = parallel ?? lanesOf(machine())
    const { engine: name, cases } =
      others.length === 0
        ? await inThisProcess(settings, { of: first!, engine, say, signal })
        : await inProcesses(settings, { home, lanes, engine, say, signal })
    const summary = summarise(cases)
    if (json !== true) process.stdout.write(`${summaryTable(summary)}\n`)
    if (json === undefined) return
    const report: FusionTableReport = {
      version: GRAFT_VERSION,
      ...{ engine: name, settings: { ...settings }, cases, summary },
    }
    await writeJson(report, json)
  },
})

type Measured = Pick<FusionTableReport, 'engine' | 'cases'>

interface OneCase {
  readonly of: CaseName
  readonly engine: EngineChoice
  readonly say: (line: string) => void
  readonly signal: AbortSignal
}

async function inThisProcess(
  settings: FusionTableSettings,
  { of, engine: choice, say, signal }: OneCase,
): Promise<Measured> {
  const engine = await startEngine(choice)
  const found = await measureCase(settings, of, signal)
  say(caseLine(found))
  return { engine: engine.name, cases: [found] }
}

interface Cases extends Omit<CaseProcesses, 'home'> {
  readonly home: string | undefined
}

async function inProcesses(
  settings: FusionTableSettings,
  { home, ...processes }: Cases,
): Promise<Measured> {
  const { engine, say } = processes
  const hash = shortHash(JSON.stringify({ engine, ...settings }))
  const folder = home ?? join('runs', `experiment-fusion-table-${hash}`)
  say(`Finished cases are kept in ${folder}; the same command goes on with the others.`)
  const reports = await runCases(settings, { home: folder, ...processes })
  return { engine: reports[0]!.engine, cases: reports.flatMap(({ cases }) => cases) }
}
