// Milliseconds of a training step (batch 64, Adam), Graft's loop beside PyTorch's on the same machine,
// in alternation. PyTorch must be importable: `pip install torch`.
//
//   npx tsc -p test/bench && node dist/bench/test/bench/training-step.bench.js [native|wasm]
import { execFileSync } from 'node:child_process'
import { cpus } from 'node:os'
import * as tf from '@tensorflow/tfjs'
import { startEngine } from '../../shared/engine/engine.ts'
import {
  parseArchitecture,
  type Architecture,
  type LayerSpec,
} from '../../shared/model/architecture.ts'
import { buildModel } from '../../shared/model/build-model.ts'
import { createRng } from '../../shared/numeric/rng.ts'
import { fit } from '../../shared/training/fit.ts'
import { blobExamples } from '../support/array-examples.ts'

const ROUNDS = 5
const STEPS = 40
const WARM_UP = 10
const BATCH = 64
const IMAGES = { inputShape: [28, 28, 1], numClasses: 10 } as const

const engine = await startEngine(process.argv[2] === 'wasm' ? 'wasm' : 'native')
console.log(`${engine.name} ${engine.version}, ${cpus().length} x ${cpus()[0]?.model ?? 'CPU'}`)
for (const [name, architecture] of Object.entries(networks())) {
  const ours: number[] = []
  const torch: number[] = []
  const stock: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    ours.push(await graftStep(architecture))
    torch.push(torchStep(name))
    stock.push(await stockStep(architecture))
  }
  const ratio = median(ours) / median(torch)
  console.log(
    `${name.padEnd(6)} graft ${show(ours)}  torch ${show(torch)}  ratio ${ratio.toFixed(2)}` +
      `  tfjs tape and Adam ${show(stock)}`,
  )
}

async function graftStep(architecture: Architecture): Promise<number> {
  const model = buildModel(architecture, createRng('bench'))
  const examples = blobExamples(IMAGES, BATCH * (STEPS + WARM_UP), 'bench')
  const times = [performance.now()]
  await fit(model, examples, {
    epochs: 1,
    batchSize: BATCH,
    optimizer: 'adam',
    learningRate: 1e-3,
    rng: createRng('bench'),
    onProgress: () => times.push(performance.now()),
  })
  model.dispose()
  return median(times.slice(WARM_UP + 1).map((time, i) => time - times[i + WARM_UP]!))
}

/** What a step costs with tfjs's own means, on the same engine (with Graft's kernels). */
async function stockStep(architecture: Architecture): Promise<number> {
  const model = buildModel(architecture, createRng('bench'))
  const examples = blobExamples(IMAGES, BATCH, 'bench')
  const indices = Array.from({ length: BATCH }, (_, i) => i)
  const adam = tf.train.adam(1e-3)
  const times: number[] = []
  for (let step = 0; step < STEPS / 2; step++) {
    const start = performance.now()
    const loss = adam.minimize(() => {
      const x = tf.tensor(examples.inputs(indices), [BATCH, ...IMAGES.inputShape])
      const y = tf.oneHot(tf.tensor1d(examples.labels, 'int32'), IMAGES.numClasses)
      return tf.losses.softmaxCrossEntropy(y, model.apply(x, { training: true }) as tf.Tensor)
    }, true)
    await loss?.data()
    loss?.dispose()
    times.push(performance.now() - start)
  }
  adam.dispose()
  model.dispose()
  return median(times.slice(5))
}

function torchStep(name: string): number {
  return Number(execFileSync('python3', ['test/bench/training-step.py', name, String(STEPS)]))
}

/** The networks of training-step.py. */
function networks(): Record<string, Architecture> {
  const conv = (name: string, filters: number): LayerSpec[] => [
    { kind: 'conv2d', name, filters, kernelSize: 3, strides: 1, padding: 'same', bias: true },
    { kind: 'relu' },
    { kind: 'max-pool', size: 2 },
  ]
  const cnn: LayerSpec[] = [
    ...conv('conv1', 32),
    ...conv('conv2', 64),
    { kind: 'flatten' },
    { kind: 'dense', name: 'fc1', units: 128, bias: true },
    { kind: 'relu' },
    { kind: 'dense', name: 'fc2', units: 10, bias: true },
  ]
  return {
    mlp: parseArchitecture('mlp', IMAGES),
    lenet: parseArchitecture('lenet', IMAGES),
    cnn: { name: 'cnn', ...IMAGES, layers: cnn },
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN
}

function show(values: readonly number[]): string {
  const range = `${Math.min(...values).toFixed(1)}-${Math.max(...values).toFixed(1)}`
  return `${median(values).toFixed(1)} (${range}) ms`
}
