import type { DataShape } from '../model/architecture.ts'
import { sizeOf } from '../model/weights.ts'
import type { ExampleSet } from './example-set.ts'

/**
 * Examples that lie in arrays.
 *
 * @param inputs [size, ...inputShape], row-major, normalised as the network wants them; borrowed
 * @param labels class of each example, [size]; borrowed
 * @throws RangeError when the two are of different numbers of examples
 */
export function arrayExamples(
  { inputShape, numClasses }: DataShape,
  inputs: Float32Array,
  labels: Int32Array,
): ExampleSet {
  const stride = sizeOf(inputShape)
  if (inputs.length !== labels.length * stride)
    throw new RangeError(`${inputs.length} numbers are not ${labels.length} inputs of ${stride}`)
  return {
    inputShape,
    numClasses,
    labels,
    inputs(indices) {
      const chosen = new Float32Array(indices.length * stride)
      for (let i = 0; i < indices.length; i++) {
        const index = indices[i]!
        if (!(Number.isInteger(index) && index >= 0 && index < labels.length))
          throw new RangeError(`example ${index} is not one of the ${labels.length} of this set`)
        chosen.set(inputs.subarray(index * stride, (index + 1) * stride), i * stride)
      }
      return chosen
    },
  }
}
