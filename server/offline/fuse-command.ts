import { z } from 'zod'
import { SCORER_NAMES } from '../../shared/attribution/scorer-names.ts'
import { defineCommand, numeric } from '../../shared/command/command.ts'
import { ENGINE_OPTION, JSON_OPTION } from '../../shared/command/common-options.ts'
import { DATA_OPTIONS, ownSourceOf, READING_OPTIONS } from '../../shared/command/data-options.ts'
import { createPhaseDisplay } from '../../shared/command/phase-progress.ts'
import { RUN_OPTIONS } from '../../shared/command/run-options.ts'
import { interruptSignal } from '../../shared/command/run-program.ts'
import { colorsOf } from '../../shared/command/text-stream.ts'
import { writeJson } from '../../shared/command/write-json.ts'
import { describeOwnData, loadOwnData } from '../../shared/data/own/own-data.ts'
import { startEngine } from '../../shared/engine/engine.ts'
import { GraftError } from '../../shared/errors.ts'
import { TUNE_MODES } from '../../shared/protocol/run-settings.ts'
import { STRATEGIES } from '../fusion/strategies.ts'
import { describeOptions } from '../fusion/strategy-options.ts'
import type { Strategy } from '../fusion/strategy.ts'
import { diversityTable } from './diversity-table.ts'
import { parseNormalisation, parseProxy } from './examples-option.ts'
import { fuseFiles } from './fuse-files.ts'
import { fuseTable } from './fuse-table.ts'
import { LAYOUTS } from '../../shared/model/layouts.ts'

const CAPTIONS = {
  read: 'Reading the parents',
  compare: 'Comparing the parents',
  fuse: 'Fusing',
  tune: 'Fine-tuning',
  judge: 'Judging',
} as const

export const fuseCommand = defineCommand({
  name: 'fuse',
  summary: 'fuse networks that lie in files into one, without a federation',
  examples: [
    'graft fuse a.safetensors b.safetensors --layout torch --model mlp:784-512-10 \\\n      --method kf-linear --proxy mnist:400 --test mnist --out fused.safetensors',
    'graft fuse a.safetensors b.safetensors --data flowers/ --proxy 200 --fine-tune-epochs 30',
    'graft fuse a/ b/ --method nt:tree=joint --out fused/',
    'graft fuse a.safetensors b.safetensors --model mlp --method ensemble --test mnist --json',
  ],
  args: ['files'],
  options: {
    files: z
      .array(z.string().min(1))
      .min(1, 'name one file or more')
      .describe('safetensors files, or folders with a TensorFlow.js model.json'),
    model: z
      .string()
      .min(1)
      .optional()
      .describe(
        'architecture of the parents: a spec as in mlp:784-512-10, or a TensorFlow.js folder; what the files say when not given',
      )
      .meta({ value: 'MODEL' }),
    target: z
      .string()
      .min(1)
      .optional()
      .describe('architecture of the fused network, of other hidden widths than --model')
      .meta({ value: 'MODEL' }),
    targetWidth: numeric(z.int().positive().max(65_536))
      .optional()
      .describe('the same by one width for every hidden layer, or WIDTH of the model’s spec')
      .meta({ value: 'N' }),
    layout: z
      .enum(LAYOUTS)
      .optional()
      .describe('of safetensors files, read and written: tf, or torch as PyTorch saves them')
      .meta({ value: 'NAME' }),
    method: z
      .string()
      .min(1)
      .default('kf-linear')
      .describe('one of the methods below, with options as in kf-linear:head=mean')
      .meta({ value: 'SPEC' }),
    scores: z
      .enum(SCORER_NAMES)
      .default('conductance')
      .describe('attribution scores, computed on the proxy set, that weigh neurons')
      .meta({ value: 'NAME' }),
    proxy: z
      .string()
      .default('none')
      .describe(
        'examples to look at: NAME:COUNT, drawn from its training split, COUNT of --data, or none',
      )
      .meta({ value: 'SPEC' }),
    test: z
      .string()
      .min(1)
      .optional()
      .describe('data set whose test split judges everything; that of --data when it is given')
      .meta({ value: 'NAME' }),
    data: DATA_OPTIONS.data.describe(
      'examples of your own for proxy set and judging: what graft data inspect reads',
    ),
    ...READING_OPTIONS,
    normalize: z
      .string()
      .optional()
      .describe('mean and deviation of pixels from 0 to 1 that the parents were trained with')
      .meta({ value: 'MEAN,STD' }),
    tune: z
      .enum(TUNE_MODES)
      .default('both')
      .describe('what the proxy set teaches: labels, the ensemble (distill), both or none')
      .meta({ value: 'MODE' }),
    fineTuneEpochs: numeric(z.int().nonnegative().max(1000))
      .default(0)
      .describe(
        'most epochs of fine-tuning; learning labels stops earlier when held-out loss rises',
      )
      .meta({ value: 'N' }),
    learningRate: numeric(z.number().positive().max(10))
      .default(0.001)
      .describe('step size of fine-tuning')
      .meta({ value: 'X' }),
    batchSize: RUN_OPTIONS.batchSize,
    out: z
      .string()
      .min(1)
      .optional()
      .describe(
        'file to write, or TensorFlow.js folder when it ends in / (default fused.safetensors)',
      )
      .meta({ value: 'FILE' }),
    seed: RUN_OPTIONS.seed,
    engine: ENGINE_OPTION,
    json: JSON_OPTION,
  },
  async run({ target, targetWidth, normalize, proxy, engine, json, ...options }) {
    const { tune, fineTuneEpochs, learningRate, batchSize, test, ...rest } = options
    const { data, label, imageSize, channels, arrays, ...files } = rest
    const source = ownSourceOf({ data, label, imageSize, channels, arrays }, test, '--test')
    if (target !== undefined && targetWidth !== undefined) {
      const problem =
        '--target and --target-width both say how wide the fused network is: give one.'
      throw new GraftError('GRAFT_OPTION_INVALID', problem)
    }
    // A report on stdout must be the only thing there.
    const screen = json === true ? process.stderr : process.stdout
    const signal = interruptSignal()
    const ownData =
      source && (await loadOwnData(source.path, { ...source.reading, seed: options.seed, signal }))
    if (ownData !== null) screen.write(`${describeOwnData(ownData).join('\n')}\n`)
    const { name } = await startEngine(engine)
    const display = createPhaseDisplay(process.stderr, CAPTIONS)
    try {
      const report = await fuseFiles({
        ...{ model: undefined, layout: undefined, out: undefined },
        ...files,
        ownData,
        test: ownData?.name ?? test,
        engine: name,
        target: target ?? targetWidth,
        proxy: parseProxy(proxy, ownData?.name),
        normalisation: normalize === undefined ? undefined : parseNormalisation(normalize),
        tune: { mode: tune, epochs: fineTuneEpochs, learningRate, batchSize },
        onProgress: (phase) => display.show({ phase }),
        onDiversity: (diversity) => {
          display.close()
          screen.write(`${diversityTable(diversity, colorsOf(screen))}\n`)
        },
        signal,
      })
      display.close()
      screen.write(`${fuseTable(report, colorsOf(screen))}\n`)
      if (json !== undefined) await writeJson(report, json)
    } finally {
      display.close()
    }
  },
}).addHelpText('after', `\nMethods:\n${methods()}`)

function methods(): string {
  return Object.values<Strategy>(STRATEGIES)
    .filter(({ onlyInRounds }) => onlyInRounds === undefined)
    .map(({ name, summary, paper, options }) => {
      const known = describeOptions(options)
      const line = `  ${name.padEnd(12)} ${summary} (${paper})`
      return known === 'none' ? line : `${line}\n${' '.repeat(15)}${known}`
    })
    .join('\n')
}
