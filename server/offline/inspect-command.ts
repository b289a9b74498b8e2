import { existsSync } from 'node:fs'
import { z } from 'zod'
import { defineCommand } from '../../shared/command/command.ts'
import { ENGINE_OPTION, JSON_OPTION } from '../../shared/command/common-options.ts'
import { colorsOf } from '../../shared/command/text-stream.ts'
import { writeJson } from '../../shared/command/write-json.ts'
import { findDataset } from '../../shared/data/datasets.ts'
import { startEngine } from '../../shared/engine/engine.ts'
import { GraftError } from '../../shared/errors.ts'
import { neuronGraph } from '../../shared/model/neuron-graph.ts'
import { createRng } from '../../shared/numeric/rng.ts'
import { measureWidths } from '../fusion/measure-widths.ts'
import { LAYOUTS } from '../../shared/model/layouts.ts'
import { layoutOf, toOurLayout } from './layout.ts'
import { isModelFolder, type ModelPlan, planModel, planOf } from './model-plan.ts'
import { describeNetwork } from './network-description.ts'
import { networkPicture } from './network-picture.ts'
import { readParentFiles } from './parent-files.ts'

export const inspectCommand = defineCommand({
  name: 'inspect',
  summary: 'draw a network: its levels, and which weights belong to which neurons',
  examples: [
    'graft inspect resnet18',
    'graft inspect vgg11:16 --dataset cifar10 --json',
    'graft inspect fused.safetensors --model mlp:784-512-10 --layout torch',
    'graft inspect my-model/',
  ],
  args: ['network'],
  options: {
    network: z
      .string()
      .min(1)
      .describe('spec of a model, safetensors file, or folder with a TensorFlow.js model.json'),
    model: z
      .string()
      .min(1)
      .optional()
      .describe('architecture of a safetensors file; what it says when not given')
      .meta({ value: 'SPEC' }),
    layout: z
      .enum(LAYOUTS)
      .optional()
      .describe('of a safetensors file: tf, or torch as PyTorch saves it')
      .meta({ value: 'NAME' }),
    dataset: z
      .string()
      .optional()
      .describe('data set whose shapes the model is built for; the usual one when not given')
      .meta({ value: 'NAME' }),
    engine: ENGINE_OPTION,
    json: JSON_OPTION.describe('write JSON instead, to FILE or stdout').meta({ value: '[FILE]' }),
  },
  async run({ network, dataset, engine, json, ...file }) {
    await startEngine(engine)
    const data = dataset === undefined ? undefined : findDataset(dataset)
    const isFile = !isModelFolder(network) && existsSync(network)
    const plan = isFile ? await planFile(network, file, data) : planModel(network, data)
    const model = await plan.build(createRng('inspect'))
    try {
      const description = describeNetwork(plan.name, model)
      if (json === undefined) {
        process.stdout.write(`${networkPicture(description, colorsOf(process.stdout))}\n`)
      } else await writeJson({ version: 1, ...description }, json)
    } finally {
      model.dispose()
    }
  },
})

/** The network of a file, with the widths that its weights have. */
async function planFile(
  path: string,
  given: { model?: string | undefined; layout?: (typeof LAYOUTS)[number] | undefined },
  data: Parameters<typeof planModel>[1],
): Promise<ModelPlan> {
  const [file] = await readParentFiles([path])
  const spec = given.model ?? file!.metadata['architecture']
  if (spec === undefined) {
    const problem = `${path} does not say of which architecture it is: give --model.`
    throw new GraftError('GRAFT_OPTION_INVALID', problem)
  }
  const plan = planModel(spec, data)
  const { weights, architecture } = await toOurLayout(file!, layoutOf(given.layout, [file!]), plan)
  const own = architecture === null ? plan : planOf(architecture)
  const model = await own.build(createRng('inspect'))
  try {
    measureWidths(weights, neuronGraph(model), path)
  } finally {
    model.dispose()
  }
  return own
}
