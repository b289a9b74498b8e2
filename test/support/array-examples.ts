import { arrayExamples } from '../../shared/data/array-examples.ts'
import type { ExampleSet } from '../../shared/data/example-set.ts'
import type { DataShape } from '../../shared/model/architecture.ts'
import { sizeOf } from '../../shared/model/weights.ts'
import { createRng } from '../../shared/numeric/rng.ts'

/** Examples that can be learnt: noise around one random centre a class. */
export function blobExamples(shape: DataShape, size: number, seed: string): ExampleSet {
  const rng = createRng(seed)
  const stride = sizeOf(shape.inputShape)
  const centres = Float32Array.from({ length: stride * shape.numClasses }, () => 2 * rng.next() - 1)
  const labels = Int32Array.from({ length: size }, (_, i) => i % shape.numClasses)
  const inputs = new Float32Array(size * stride)
  for (let i = 0; i < inputs.length; i++) {
    const centre = labels[Math.floor(i / stride)]! * stride + (i % stride)
    inputs[i] = centres[centre]! + 0.5 * (2 * rng.next() - 1)
  }
  return arrayExamples(shape, inputs, labels)
}
