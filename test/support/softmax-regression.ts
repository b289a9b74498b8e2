import type { ExampleSet } from '../../shared/data/example-set.ts'
import type { Architecture, DataShape } from '../../shared/model/architecture.ts'
import { sizeOf } from '../../shared/model/weights.ts'
import type { Rng } from '../../shared/numeric/rng.ts'

/** One dense layer with a bias: a network whose training is a few lines of float64. */
export function softmaxRegression({ inputShape, numClasses }: DataShape): Architecture {
  const dense = { kind: 'dense', name: 'fc1', units: numClasses, bias: true } as const
  return { name: 'softmax-regression', inputShape, numClasses, layers: [dense] }
}

/** Kernel [in, class] and bias [class]. */
export type Float64Weights = readonly Float64Array[]

/** What is trained on at each step: the examples' indices, in the batches and order that `fit` takes. */
export function batchesOf(
  size: number,
  { epochs, batchSize, rng }: { epochs: number; batchSize: number; rng: Rng },
): number[][] {
  return Array.from({ length: epochs }, (_, epoch) => {
    const order = rng.split(`epoch/${epoch}`).shuffle(Array.from({ length: size }, (__, i) => i))
    return Array.from({ length: Math.ceil(size / batchSize) }, (__, batch) =>
      order.slice(batch * batchSize, (batch + 1) * batchSize),
    )
  }).flat()
}

/** Gradient of the mean softmax cross-entropy of a batch, one example and one number at a time. */
export function regressionGradient(
  [kernel, bias]: Float64Weights,
  examples: ExampleSet,
  batch: readonly number[],
): Float64Array[] {
  const classes = examples.numClasses
  const numInputs = sizeOf(examples.inputShape)
  const gradient = [new Float64Array(kernel!.length), new Float64Array(bias!.length)]
  for (const example of batch) {
    const x = examples.inputs([example])
    const logits = Array.from(bias!, (b, c) => {
      let sum = b
      for (let i = 0; i < numInputs; i++) sum += x[i]! * kernel![i * classes + c]!
      return sum
    })
    const largest = Math.max(...logits)
    const total = logits.reduce((sum, z) => sum + Math.exp(z - largest), 0)
    for (let c = 0; c < classes; c++) {
      const isLabel = examples.labels[example] === c ? 1 : 0
      const error = (Math.exp(logits[c]! - largest) / total - isLabel) / batch.length
      for (let i = 0; i < numInputs; i++) gradient[0]![i * classes + c]! += error * x[i]!
      gradient[1]![c]! += error
    }
  }
  return gradient
}
