import { GraftError } from '../errors.ts'
import { sizeOf } from '../model/weights.ts'
import type { ExampleSet } from './example-set.ts'

/**
 * Two sets as one, `first` in front. Inputs stay with the two, which must outlive it.
 * @throws GraftError GRAFT_SHAPE_MISMATCH when their inputs or classes differ
 */
export function concatenate(first: ExampleSet, second: ExampleSet): ExampleSet {
  const { inputShape, numClasses } = first
  if (String(inputShape) !== String(second.inputShape) || numClasses !== second.numClasses) {
    const describe = (set: ExampleSet) => `[${set.inputShape}] in ${set.numClasses} classes`
    throw new GraftError(
      'GRAFT_SHAPE_MISMATCH',
      `Examples of ${describe(first)} and of ${describe(second)} do not make one set.`,
    )
  }
  const size = first.labels.length
  const length = sizeOf(inputShape)
  const labels = new Int32Array(size + second.labels.length)
  labels.set(first.labels)
  labels.set(second.labels, size)
  return {
    inputShape,
    numClasses,
    labels,
    inputs(indices) {
      const inputs = new Float32Array(indices.length * length)
      for (const [set, offset] of [[first, 0] as const, [second, size] as const]) {
        const places = Array.from(indices, (_, place) => place).filter(
          (place) => indices[place]! >= size === (set === second),
        )
        const rows = set.inputs(places.map((place) => indices[place]! - offset))
        places.forEach((place, row) => {
          inputs.set(rows.subarray(row * length, (row + 1) * length), place * length)
        })
      }
      return inputs
    },
  }
}
