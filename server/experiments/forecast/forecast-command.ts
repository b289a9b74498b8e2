import { z } from 'zod'
import { defineCommand, numeric } from '../../../shared/command/command.ts'
import { ENGINE_OPTION, JSON_OPTION } from '../../../shared/command/common-options.ts'
import { list, whole } from '../../../shared/command/list-option.ts'
import { interruptSignal } from '../../../shared/command/run-program.ts'
import { writeJson } from '../../../shared/command/write-json.ts'
import { findDataset } from '../../../shared/data/datasets.ts'
import { startEngine } from '../../../shared/engine/engine.ts'
import { parseArchitecture } from '../../../shared/model/architectures.ts'
import type { ForecastReport } from '../../../shared/protocol/forecast-report.ts'
import { GRAFT_VERSION } from '../../../shared/protocol/graft-version.ts'
import { measurePairs } from './forecast-pairs.ts'
import { reportForecast } from './forecast-reliability.ts'
import { forecastTable } from './forecast-table.ts'
import { completeBy } from '../complete-by.ts'

const FULL = { datasets: ['mnist', 'fashion-mnist'], seeds: [1, 2, 3, 4, 5, 6], images: 6000 }
const QUICK: typeof FULL = { datasets: ['mnist'], seeds: [1, 2], images: 1500 }

/** `graft experiment forecast`. */
export const forecastCommand = defineCommand({
  name: 'forecast',
  summary: 'whether the diversity of two parents tells what nt will make of them',
  examples: [
    'graft experiment forecast --json forecast.json',
    'graft experiment forecast --quick',
    'graft experiment forecast --model lenet --seeds 7,8',
  ],
  options: {
    datasets: list(z.string())
      .optional()
      .describe(
        `data sets (default ${FULL.datasets.join()}; with --quick ${QUICK.datasets.join()})`,
      )
      .meta({ value: 'A,B' }),
    seeds: list(numeric(z.int().nonnegative()))
      .optional()
      .describe(
        `seeds, ten pairs and a copy each (default ${FULL.seeds.join()}; with --quick ${QUICK.seeds.join()})`,
      )
      .meta({ value: 'A,B' }),
    model: z.string().default('mlp:784-128-10').describe('architecture').meta({ value: 'SPEC' }),
    images: whole
      .optional()
      .describe(`training images a parent (default ${FULL.images}; with --quick ${QUICK.images})`)
      .meta({ value: 'N' }),
    epochs: whole.default(5).describe('epochs a parent trains').meta({ value: 'N' }),
    proxyImages: whole
      .default(1000)
      .describe('images to measure and to tune on, a fifth held out')
      .meta({ value: 'N' }),
    tuneEpochs: whole.default(20).describe('most epochs of tuning').meta({ value: 'N' }),
    testImages: whole.default(10_000).describe('images of the test split').meta({ value: 'N' }),
    quick: z.boolean().default(false).describe('twenty pairs, trained on few images'),
    engine: ENGINE_OPTION,
    json: JSON_OPTION,
  },
  async run({ engine: choice, json, quick, ...given }) {
    const settings = completeBy(quick ? QUICK : FULL, given)
    // A wrong name is said before minutes of training.
    settings.datasets.forEach((name) => parseArchitecture(settings.model, findDataset(name)))
    const engine = await startEngine(choice)
    const say = (text: string) => process.stderr.write(`${text}\n`)
    say(`Engine: ${engine.name} ${engine.version}. Seeds: ${settings.seeds.join(', ')}.`)
    const pairs = await measurePairs(
      settings,
      ({ dataset, seed, kind, tuned, bestParentTuned }) =>
        say(`${dataset}, seed ${seed}, ${kind}: nt ${tuned}, best parent ${bestParentTuned}`),
      interruptSignal(),
    )
    const report = reportForecast(pairs)
    if (json !== true) process.stdout.write(`${forecastTable(pairs, report)}\n`)
    if (json === undefined) return
    const written: ForecastReport = {
      version: GRAFT_VERSION,
      engine: engine.name,
      settings,
      pairs,
      report,
    }
    await writeJson(written, json)
  },
})
