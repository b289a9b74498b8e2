import { join } from 'node:path'
import type { Command } from 'commander'
import { z } from 'zod'
import { defineCommand, numeric } from '../../shared/command/command.ts'
import { ENGINE_OPTION, HOME_OPTION, JSON_OPTION } from '../../shared/command/common-options.ts'
import { READING_OPTIONS, readingWords } from '../../shared/command/data-options.ts'
import { list } from '../../shared/command/list-option.ts'
import { interruptSignal } from '../../shared/command/run-program.ts'
import { writeJson } from '../../shared/command/write-json.ts'
import { describeOwnData } from '../../shared/data/own/own-data.ts'
import { startEngine } from '../../shared/engine/engine.ts'
import { REHEARSAL_NAMES } from './federation/federation-grid.ts'
import { findGridData } from './grid-data.ts'
import { planPreset } from './plan-preset.ts'
import { presetTable } from './preset-table.ts'
import type { Preset } from './preset.ts'
import { runExperiment } from './run-preset.ts'

/** `graft experiment NAME` of a preset. */
export function presetCommand(preset: Preset): Command {
  const { name, full, quick } = preset
  const either = (key: 'datasets' | 'partitions' | 'seeds' | 'methods') => {
    const [inFull, inQuick] = [full[key].join(), quick[key].join()]
    return inFull === inQuick ? `(default ${inFull})` : `(default ${inFull}; --quick ${inQuick})`
  }
  const words = z.string().min(1)
  return defineCommand({
    name,
    summary: preset.summary,
    examples: [
      `graft experiment ${name} --quick`,
      `graft experiment ${name} --quick --dataset ~/flowers,patients.csv --home mine`,
      `graft experiment ${name} --home study --json ${name}.json    (again after Ctrl-C: it goes on)`,
    ],
    options: {
      quick: z.boolean().default(false).describe('minutes on two cores; small models, few images'),
      dataset: list(words)
        .optional()
        .describe(`data sets, or paths of data of your own ${either('datasets')}`)
        .meta({ value: 'A,B' }),
      ...READING_OPTIONS,
      partition: list(words)
        .optional()
        .describe(`partitions ${either('partitions')}`)
        .meta({ value: 'A,B' }),
      ...federationOptions(preset),
      seeds: list(numeric(z.int().nonnegative()))
        .optional()
        .describe(`seeds ${either('seeds')}`)
        .meta({ value: 'A,B' }),
      methods: list(words)
        .optional()
        .describe(`strategies, with options as --strategy has them ${either('methods')}`)
        .meta({ value: 'A,B' }),
      home: HOME_OPTION.optional().describe(
        `folder of finished parts; runs/experiment-${name}, with -quick, when not given`,
      ),
      engine: ENGINE_OPTION,
      json: JSON_OPTION,
    },
    async run({ quick: isQuick, home, engine: choice, json, ...given }) {
      const { dataset: datasets, partition: partitions, seeds, methods, rehearse } = given
      const { label, imageSize, channels, arrays } = given
      const reading = { label, imageSize, channels, arrays }
      const folder = home ?? join('runs', `experiment-${name}${isQuick ? '-quick' : ''}`)
      const signal = interruptSignal()
      const say = (text: string) => void process.stderr.write(`${text}\n`)
      const find = await findGridData({
        ...{ given: datasets ?? [], reading, signal },
        onRead: (data) => describeOwnData(data).forEach(say),
      })
      // Federations start engines of their own.
      const engine = preset.kind === 'offline' ? (await startEngine(choice)).name : choice
      const plan = planPreset(preset, {
        ...{ isQuick, datasets, find, partitions, seeds, methods, rehearse, engine },
        readingWords: readingWords(reading),
      })
      say(`Engine: ${engine}. Seeds: ${plan.grid.seeds.join(', ')}. Parts: ${plan.parts.length}.`)
      say(`Finished parts are kept in ${folder}; the same command goes on with the others.`)
      const report = await runExperiment(plan, folder, say, signal)
      if (json !== true) process.stdout.write(`${presetTable(report)}\n`)
      if (json !== undefined) await writeJson(report, json)
    },
  })
}

/** Networks that are fused offline have nobody to rehearse: there the option is absent. */
function federationOptions(preset: Preset) {
  const names = list(z.enum(REHEARSAL_NAMES)).optional()
  if (preset.kind === 'offline') return {} as { readonly rehearse: typeof names }
  const [inFull, inQuick] = [preset.full.rehearse.join(), preset.quick.rehearse.join()]
  const rehearse = names
    .describe(
      'what clients train on beside their own: none; plain, the proxy set; adjusted, that with logit ' +
        `adjustment (default ${inFull}; --quick ${inQuick})`,
    )
    .meta({ value: 'A,B' })
  return { rehearse }
}
