// Our half of round-trip.py, which says how to run it:
//   round-trip.js export FOLDER   writes networks in PyTorch's layout, with inputs and our logits for them
//   round-trip.js check FOLDER    reads what PyTorch wrote there and prints how far our logits are from its
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs'
import { startEngine } from '../../shared/engine/engine.ts'
import type { Architecture } from '../../shared/model/architecture.ts'
import { parseArchitecture } from '../../shared/model/architectures.ts'
import { buildModel } from '../../shared/model/build-model.ts'
import { initialWeights } from '../../shared/model/initial-weights.ts'
import { decodeSafetensors, encodeSafetensors } from '../../shared/model/safetensors.ts'
import { fromTorch, toTorch } from '../../shared/model/torch-layout.ts'
import { type NamedTensor, sizeOf, type Weights, writeWeights } from '../../shared/model/weights.ts'
import { normal } from '../../shared/numeric/random.ts'
import { createRng, type Rng } from '../../shared/numeric/rng.ts'

const EXAMPLES = 8
const TOLERANCE = 1e-4
const DATA = {
  mnist: { inputShape: [28, 28, 1], numClasses: 10 },
  cifar: { inputShape: [32, 32, 3], numClasses: 10 },
}
const NETWORKS = {
  mlp: parseArchitecture('mlp', DATA.cifar),
  lenet: parseArchitecture('lenet', DATA.cifar),
  vgg11: parseArchitecture('vgg11', DATA.cifar),
  'vgg11-bn': parseArchitecture('vgg11-bn', DATA.cifar),
  resnet18: parseArchitecture('resnet18', DATA.cifar),
  vit: parseArchitecture('vit', DATA.cifar),
  'lenet-28': parseArchitecture('lenet', DATA.mnist),
  'resnet18-28': parseArchitecture('resnet18', DATA.mnist),
  'vit-28': parseArchitecture('vit', DATA.mnist),
}

const [, , task, folder = ''] = process.argv
await startEngine('auto')
for (const [name, architecture] of Object.entries(NETWORKS)) {
  if (task === 'export') await exportNetwork(name, architecture)
  else await checkNetwork(name, architecture)
}

async function exportNetwork(name: string, architecture: Architecture): Promise<void> {
  const rng = createRng(name)
  const weights = unsettled(initialWeights(architecture, rng), rng)
  const shape = [EXAMPLES, ...architecture.inputShape]
  const inputs = new Float32Array(sizeOf(shape)).map(() => normal(rng))
  const logits = await logitsOf(architecture, weights, inputs)
  mkdirSync(folder, { recursive: true })
  write(`${name}.ours`, toTorch(weights, architecture))
  write(`${name}.ours.logits`, [
    { name: 'inputs', shape, data: inputs },
    { name: 'logits', shape: [EXAMPLES, architecture.numClasses], data: logits },
  ])
}

async function checkNetwork(name: string, architecture: Architecture): Promise<void> {
  const example = new Map(read(`${name}.torch.logits`).map(({ name, data }) => [name, data]))
  const [inputs, wanted] = [example.get('inputs')!, example.get('logits')!]
  for (const file of [`${name}.torch`, `${name}.torch-names`]) {
    const weights = fromTorch(read(file), architecture)
    const logits = await logitsOf(architecture, weights, inputs)
    const difference = Math.max(...logits.map((logit, i) => Math.abs(logit - wanted[i]!)))
    const size = Math.max(...wanted.map(Math.abs)).toFixed(1)
    console.log(
      `${file.padEnd(24)} -> graft  ${difference.toExponential(1)}  of logits up to ${size}`,
    )
    if (!(difference <= TOLERANCE)) process.exitCode = 1
  }
}

/** Biases and moving statistics of an untrained network hide mistakes: they are all alike. */
function unsettled(weights: Weights, rng: Rng): NamedTensor[] {
  return weights.map((weight) => {
    const isSquare = weight.name.endsWith('movingVariance')
    const move = (value: number) => value + 0.1 * normal(rng)
    return {
      ...weight,
      data: weight.data.map((value) =>
        isSquare ? Math.abs(move(value)) : value === 0 || value === 1 ? move(value) : value,
      ),
    }
  })
}

async function logitsOf(
  architecture: Architecture,
  weights: Weights,
  inputs: Float32Array,
): Promise<Float32Array> {
  const model = buildModel(architecture, createRng('overwritten'))
  writeWeights(model, weights)
  const logits = tf.tidy(
    () => model.predict(tf.tensor(inputs, [EXAMPLES, ...architecture.inputShape])) as tf.Tensor,
  )
  const values = await logits.data<'float32'>()
  tf.dispose([logits])
  model.dispose()
  return values
}

function read(name: string): Weights {
  return decodeSafetensors(readFileSync(join(folder, `${name}.safetensors`))).tensors
}

function write(name: string, tensors: Weights): void {
  writeFileSync(join(folder, `${name}.safetensors`), encodeSafetensors(tensors, {}))
}
