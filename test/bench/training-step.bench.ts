// Milliseconds of a training step (batch 64, Adam): Graft's `fit`, stock tfjs (tape, tf.train.adam, stock
// kernels) on the same engine, and PyTorch where python3 can import it, in alternation on one machine.
//
//   npm run --silent tools && node dist/tools/test/bench/training-step.bench.js [native|wasm] [mlp|lenet|cnn]
//
// Two ratios: of the medians, and of the fastest steps, which other work on the machine disturbs least.
import { execFileSync, spawnSync } from 'node:child_process'
import { cpus, loadavg } from 'node:os'
import '@tensorflow/tfjs-backend-wasm'
import * as tf from '@tensorflow/tfjs'
import { startEngine } from '../../shared/engine/engine.ts'
import type { Architecture } from '../../shared/model/architecture.ts'
import { parseArchitecture } from '../../shared/model/architectures.ts'
import type { LayerSpec } from '../../shared/model/layer-spec.ts'
import { buildModel } from '../../shared/model/build-model.ts'
import { createRng } from '../../shared/numeric/rng.ts'
import { fit } from '../../shared/training/fit.ts'
import { blobExamples } from '../support/array-examples.ts'
import { namesakes, nativeStockKernels, register, wasmKernels } from './stock-kernels.ts'

const ROUNDS = 3
// Enough for the JavaScript between the ops to be compiled.
const WARM_UP = 20
/** Timed steps a round. Stock tfjs gets fewer, as some of its steps take seconds. */
const STEPS = { graft: 60, stock: 5, torch: 60 } as const
const BATCH = 64
const SEED = 'bench'
const IMAGES = { inputShape: [28, 28, 1], numClasses: 10 } as const

type Contestant = keyof typeof STEPS

const [choice, only] = process.argv.slice(2)
// Before the engine starts, as it replaces them.
const stockOnWasm = wasmKernels()
const engine = await startEngine(choice === 'wasm' ? 'wasm' : 'native')
const backend = tf.getBackend()
const stockKernels = engine.name === 'wasm' ? stockOnWasm : nativeStockKernels()
const graftKernels = namesakes(backend, stockKernels)
const hasTorch = spawnSync('python3', ['-c', 'import torch']).status === 0

console.log(`commit ${commit()}, seed ${SEED}, Node ${process.version}`)
console.log(`${engine.name} ${engine.version}, ${cpus().length} x ${cpus()[0]?.model ?? 'CPU'}`)
if (!hasTorch) console.log('No PyTorch: `pip install torch` to compare with it.')
for (const [name, architecture] of Object.entries(networks())) {
  if (only === undefined || only === name) await compare(name, architecture)
}

async function compare(name: string, architecture: Architecture): Promise<void> {
  const times: Record<Contestant, number[]> = { graft: [], stock: [], torch: [] }
  for (let round = 0; round < ROUNDS; round++) {
    times.graft.push(...(await graftSteps(architecture)))
    times.stock.push(...(await stockSteps(architecture)))
    if (hasTorch) times.torch.push(...torchSteps(name))
  }
  const { graft, stock, torch } = times
  const shown = [`graft ${show(graft)}`, `stock ${show(stock)}, stock/graft ${ratio(stock, graft)}`]
  if (hasTorch) shown.push(`torch ${show(torch)}, graft/torch ${ratio(graft, torch)}`)
  const [load] = loadavg()
  console.log(`${name.padEnd(6)} ${shown.join('; ')}; load ${load?.toFixed(1) ?? '?'}`)
}

async function graftSteps(architecture: Architecture): Promise<number[]> {
  const model = buildModel(architecture, createRng(SEED))
  const examples = blobExamples(IMAGES, BATCH * (STEPS.graft + WARM_UP), SEED)
  const ends: number[] = []
  await fit(model, examples, {
    epochs: 1,
    batchSize: BATCH,
    optimizer: 'adam',
    learningRate: 1e-3,
    rng: createRng(SEED),
    onProgress: () => ends.push(performance.now()),
  })
  model.dispose()
  return ends.slice(WARM_UP).map((end, i) => end - ends[i + WARM_UP - 1]!)
}

async function stockSteps(architecture: Architecture): Promise<number[]> {
  register(backend, stockKernels)
  const model = buildModel(architecture, createRng(SEED))
  const examples = blobExamples(IMAGES, BATCH, SEED)
  const indices = Array.from({ length: BATCH }, (_, i) => i)
  const adam = tf.train.adam(1e-3)
  const times: number[] = []
  for (let step = 0; step < STEPS.stock + 2; step++) {
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
  register(backend, graftKernels)
  return times.slice(2)
}

function torchSteps(name: string): number[] {
  const script = ['test/bench/training-step.py', name, String(STEPS.torch)]
  return JSON.parse(execFileSync('python3', script, { encoding: 'utf8' })) as number[]
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

function commit(): string {
  const git = (...args: string[]) => execFileSync('git', args, { encoding: 'utf8' }).trim()
  const isChanged = git('status', '--porcelain', '--', 'shared', 'test/bench') !== ''
  return git('rev-parse', '--short', 'HEAD') + (isChanged ? ' with changes' : '')
}

function ratio(a: readonly number[], b: readonly number[]): string {
  const fastest = Math.min(...a) / Math.min(...b)
  return `${(median(a) / median(b)).toFixed(2)} (fastest ${fastest.toFixed(2)})`
}

function show(times: readonly number[]): string {
  return `${median(times).toFixed(1)} (fastest ${Math.min(...times).toFixed(1)}) ms`
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN
}
