// Milliseconds of the wasm back end's stock kernels beside Graft's replacements, and of whole training
// steps (batch 64, Adam) with either, in alternation. Conv2DBackpropFilter is missing in stock tfjs: there
// it stands for the plain way to write it, one product for each entry of the filter.
//
//   npm run --silent tools && node dist/tools/test/bench/kernels.bench.js
import { cpus } from 'node:os'
import '@tensorflow/tfjs-backend-wasm'
import * as tf from '@tensorflow/tfjs'
import { startEngine } from '../../shared/engine/engine.ts'
import { register, wasmKernels } from './stock-kernels.ts'

const ROUNDS = 12
const WARM_UP = 2
const BATCH = 64
const SEED = 7

type Kernel = { name: string; shape: string; inputs: Record<string, tf.Tensor>; attributes: object }

const stock = wasmKernels()
const engine = await startEngine('wasm')
const ours = wasmKernels()

console.log(`${engine.name} ${engine.version}, ${cpus().length} x ${cpus()[0]?.model ?? 'CPU'}`)
console.log(`Node ${process.version}, seed ${SEED}, median of ${ROUNDS - WARM_UP}; ms`)
for (const { name, shape, inputs, attributes } of kernels()) {
  const run = () => {
    tf.dispose(tf.engine().runKernel(name, inputs, attributes as tf.NamedAttrMap))
  }
  report(`${name} ${shape}`, run)
  tf.dispose(inputs)
}
for (const [name, model] of Object.entries(networks()))
  report(`step of ${name}`, trainingStep(model))

/** Times `run` with either set of kernels, in alternation, and prints the medians and their ratio. */
function report(title: string, run: () => void): void {
  const times: [number[], number[]] = [[], []]
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, set] of [stock, ours].entries()) {
      register('wasm', set)
      const start = performance.now()
      run()
      if (round >= WARM_UP) times[i]!.push(performance.now() - start)
    }
  }
  register('wasm', ours)
  const [before, after] = [median(times[0]), median(times[1])]
  console.log(
    `${title.padEnd(58)} stock ${before.toFixed(2).padStart(8)}  graft ${after.toFixed(2).padStart(7)}` +
      `  ${(before / after).toFixed(2)} times as fast`,
  )
}

/** The calls that training the two networks below makes. */
function kernels(): Kernel[] {
  const conv = { strides: 1, pad: 'valid', dataFormat: 'NHWC' }
  const pool = { filterSize: 2, strides: 2, pad: 'valid' }
  const input = random([BATCH, 26, 26, 32]) as tf.Tensor4D
  return [
    {
      name: 'BatchMatMul',
      shape: '[64,512]^T by [64,512]',
      inputs: { a: random([1, BATCH, 512]), b: random([1, BATCH, 512]) },
      attributes: { transposeA: true, transposeB: false },
    },
    {
      name: 'BatchMatMul',
      shape: '[64,512] by [512,512]^T',
      inputs: { a: random([1, BATCH, 512]), b: random([1, 512, 512]) },
      attributes: { transposeA: false, transposeB: true },
    },
    {
      name: '_FusedMatMul',
      shape: '[64,512] by [512,512]^T',
      inputs: { a: random([1, BATCH, 512]), b: random([1, 512, 512]), bias: random([512]) },
      attributes: { transposeA: false, transposeB: true, activation: 'relu' },
    },
    {
      name: 'Conv2DBackpropFilter',
      shape: '28x28, 1 to 32 channels, 3x3',
      inputs: { x: random([BATCH, 28, 28, 1]), dy: random([BATCH, 26, 26, 32]) },
      attributes: { ...conv, filterShape: [3, 3, 1, 32] },
    },
    {
      name: 'Conv2DBackpropFilter',
      shape: '13x13, 32 to 64 channels, 3x3',
      inputs: { x: random([BATCH, 13, 13, 32]), dy: random([BATCH, 11, 11, 64]) },
      attributes: { ...conv, filterShape: [3, 3, 32, 64] },
    },
    {
      name: 'Conv2DBackpropInput',
      shape: '13x13, 32 to 64 channels, 3x3',
      inputs: { dy: random([BATCH, 11, 11, 64]), filter: random([3, 3, 32, 64]) },
      attributes: { ...conv, inputShape: [BATCH, 13, 13, 32] },
    },
    {
      name: 'MaxPoolGrad',
      shape: '26x26, 32 channels, 2x2',
      inputs: { dy: random([BATCH, 13, 13, 32]), input, output: tf.maxPool(input, 2, 2, 'valid') },
      attributes: pool,
    },
    {
      name: 'Sum',
      shape: '26x26, 32 channels, over all but the last axis',
      inputs: { x: random([BATCH, 26, 26, 32]) },
      attributes: { axis: [0, 1, 2], keepDims: false },
    },
  ]
}

function networks(): Record<string, tf.Sequential> {
  const { dense, conv2d, maxPooling2d, flatten } = tf.layers
  const conv = (filters: number) => conv2d({ filters, kernelSize: 3, activation: 'relu' })
  const hidden = (units: number) => dense({ units, activation: 'relu' })
  const image = tf.layers.inputLayer({ inputShape: [28, 28, 1] })
  const pixels = tf.layers.inputLayer({ inputShape: [784] })
  return {
    'MLP 784-512-512-512-10': tf.sequential({
      layers: [pixels, hidden(512), hidden(512), hidden(512), dense({ units: 10 })],
    }),
    'CNN conv32-pool-conv64-pool-128-10': tf.sequential({
      layers: [
        ...[image, conv(32), maxPooling2d({ poolSize: 2 })],
        ...[conv(64), maxPooling2d({ poolSize: 2 }), flatten(), hidden(128), dense({ units: 10 })],
      ],
    }),
  }
}

function trainingStep(model: tf.Sequential): () => void {
  const x = random([BATCH, ...model.inputs[0]!.shape.slice(1).map(Number)])
  const labels = tf.tensor1d(
    Array.from({ length: BATCH }, (_, i) => i % 10),
    'int32',
  )
  const y = tf.oneHot(labels, 10)
  const optimizer = tf.train.adam(1e-3)
  return () => {
    optimizer.minimize(() => tf.losses.softmaxCrossEntropy(y, model.apply(x) as tf.Tensor))
  }
}

function random(shape: number[]): tf.Tensor {
  return tf.randomUniform(shape, -1, 1, 'float32', SEED)
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN
}
