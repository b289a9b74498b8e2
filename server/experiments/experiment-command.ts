import { Command } from 'commander'
import { z } from 'zod'
import { defineCommand, numeric } from '../../shared/command/command.ts'
import { ENGINE_OPTION, JSON_OPTION } from '../../shared/command/common-options.ts'
import { list, whole } from '../../shared/command/list-option.ts'
import { interruptSignal } from '../../shared/command/run-program.ts'
import { writeJson } from '../../shared/command/write-json.ts'
import { startEngine } from '../../shared/engine/engine.ts'
import type { FusionTableReport } from '../../shared/protocol/fusion-table-report.ts'
import { GRAFT_VERSION } from '../../shared/protocol/graft-version.ts'
import { parseMethod } from '../fusion/strategies.ts'
import { forecastCommand } from './forecast/forecast-command.ts'
import { fusionTable } from './fusion-table/fusion-table.ts'
import { listCommand } from './list-command.ts'
import { networksCommand } from './networks/networks-command.ts'
import { presetCommand } from './preset-command.ts'
import { PRESETS } from './presets.ts'
import { resultsCommand } from './results/results-command.ts'
import { caseLine, summarise, summaryTable } from './fusion-table/table-summary.ts'

const METHODS =
  'fedavg,nt,nt:importance=attribution,hf-linear,kf-linear,kf-linear:scores=uniform,kf-gradient,otfusion,git-rebasin'

const fusionTableCommand = defineCommand({
  name: 'fusion-table',
  summary: 'every method beside parents and ensemble, right after fusion and tuned',
  examples: [
    'graft experiment fusion-table --json table.json',
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
    engine: ENGINE_OPTION,
    json: JSON_OPTION,
  },
  async run({ dataset, engine: choice, json, ...rest }) {
    // A wrong name is said before an hour of training.
    rest.methods.forEach(parseMethod)
    const engine = await startEngine(choice)
    const settings = { datasets: dataset, ...rest }
    const say = (text: string) => process.stderr.write(`${text}\n`)
    say(`Engine: ${engine.name} ${engine.version}. Seeds: ${settings.seeds.join(', ')}.`)
    const cases = await fusionTable(settings, (one) => say(caseLine(one)), interruptSignal())
    const summary = summarise(cases)
    if (json !== true) process.stdout.write(`${summaryTable(summary)}\n`)
    if (json === undefined) return
    const written: FusionTableReport = {
      version: GRAFT_VERSION,
      engine: engine.name,
      settings,
      cases,
      summary,
    }
    await writeJson(written, json)
  },
})

/** `graft experiment`: measurements that anyone can repeat. */
export const experimentCommand = new Command('experiment')
  .summary('measurements that anyone can repeat')
  .description('measurements that anyone can repeat')
  .addCommand(listCommand)
  .addCommand(resultsCommand)
  .addCommand(fusionTableCommand)
  .addCommand(networksCommand)
  .addCommand(forecastCommand)

for (const preset of PRESETS) experimentCommand.addCommand(presetCommand(preset))
