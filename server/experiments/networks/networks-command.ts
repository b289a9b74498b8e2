import { z } from 'zod'
import { defineCommand, numeric } from '../../../shared/command/command.ts'
import { ENGINE_OPTION, JSON_OPTION } from '../../../shared/command/common-options.ts'
import { list, whole } from '../../../shared/command/list-option.ts'
import { interruptSignal } from '../../../shared/command/run-program.ts'
import { writeJson } from '../../../shared/command/write-json.ts'
import { findDataset } from '../../../shared/data/datasets.ts'
import { startEngine } from '../../../shared/engine/engine.ts'
import { parseArchitecture } from '../../../shared/model/architectures.ts'
import type { NetworksReport } from '../../../shared/protocol/networks-report.ts'
import { GRAFT_VERSION } from '../../../shared/protocol/graft-version.ts'
import { parseMethod } from '../../fusion/strategies.ts'
import { networksTable } from './networks-table.ts'
import { measureNetworks } from './networks.ts'
import { completeBy } from '../complete-by.ts'

const FULL = {
  models: ['vgg11:32', 'resnet18:16', 'vit:64x4'],
  images: 2500,
  epochs: 10,
  proxyImages: 1000,
  tuneEpochs: 5,
  testImages: 2000,
}
/** Narrow networks on few images: whether everything works, not how well. */
const QUICK: typeof FULL = {
  models: ['vgg11:16', 'resnet18:16', 'vit:32x2'],
  images: 1000,
  epochs: 8,
  proxyImages: 400,
  tuneEpochs: 3,
  testImages: 1000,
}
const both = (key: keyof typeof FULL) =>
  `(default ${String(FULL[key])}; with --quick ${String(QUICK[key])})`

/** `graft experiment networks`. */
export const networksCommand = defineCommand({
  name: 'networks',
  summary: 'deep networks of parents without a class in common, fused by several methods',
  examples: [
    'graft experiment networks --json networks.json',
    'graft experiment networks --quick',
    'graft experiment networks --models vgg11-bn:32 --methods nt,kf-linear',
  ],
  options: {
    dataset: z.string().default('cifar10').describe('data set').meta({ value: 'NAME' }),
    models: list(z.string())
      .optional()
      .describe(`architectures ${both('models')}`)
      .meta({ value: 'A,B' }),
    methods: list(z.string())
      .default(['nt', 'kf-linear', 'kf-gradient', 'otfusion'])
      .describe('strategies, with options as --strategy has them')
      .meta({ value: 'A,B' }),
    parents: whole.default(2).describe('number of parents').meta({ value: 'N' }),
    partition: z
      .string()
      .default('labels:5')
      .describe('how the training images are dealt to the parents')
      .meta({ value: 'SPEC' }),
    images: whole
      .optional()
      .describe(`training images a parent ${both('images')}`)
      .meta({ value: 'N' }),
    epochs: whole
      .optional()
      .describe(`epochs a parent trains ${both('epochs')}`)
      .meta({ value: 'N' }),
    proxyImages: whole
      .optional()
      .describe(`images that fusion and tuning see, a fifth held out ${both('proxyImages')}`)
      .meta({ value: 'N' }),
    tuneEpochs: whole
      .optional()
      .describe(`most epochs of tuning ${both('tuneEpochs')}`)
      .meta({ value: 'N' }),
    testImages: whole
      .optional()
      .describe(`images of the test split ${both('testImages')}`)
      .meta({ value: 'N' }),
    seed: numeric(z.int().nonnegative()).default(1).describe('seed').meta({ value: 'N' }),
    quick: z.boolean().default(false).describe('small networks on few images'),
    engine: ENGINE_OPTION,
    json: JSON_OPTION,
  },
  async run({ engine: choice, json, quick, ...given }) {
    const settings = completeBy(quick ? QUICK : FULL, given)
    // A wrong name is said before minutes of training.
    settings.methods.forEach(parseMethod)
    settings.models.forEach((spec) => parseArchitecture(spec, findDataset(settings.dataset)))
    const engine = await startEngine(choice)
    const say = (text: string) => process.stderr.write(`${text}\n`)
    say(`Engine: ${engine.name} ${engine.version}. Seed: ${settings.seed}.`)
    const cases = await measureNetworks(settings, say, interruptSignal())
    if (json !== true) process.stdout.write(`${networksTable(cases)}\n`)
    if (json === undefined) return
    const written: NetworksReport = { version: GRAFT_VERSION, engine: engine.name, settings, cases }
    await writeJson(written, json)
  },
})
