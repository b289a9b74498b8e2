import type { ExampleSet } from './example-set.ts'

/**
 * Some examples of a set, as a set of their own: example i of it is example `indices[i]` of `set`.
 * Inputs stay with `set`, which must outlive it.
 *
 * @throws RangeError when an index is outside the set
 */
export function subset(set: ExampleSet, indices: ArrayLike<number>): ExampleSet {
  const chosen = Int32Array.from(indices, (index) => at(set.labels, index).index)
  return {
    inputShape: set.inputShape,
    numClasses: set.numClasses,
    labels: chosen.map((index) => set.labels[index]!),
    inputs: (some) => set.inputs(Int32Array.from(some, (i) => at(chosen, i).value)),
  }
}

/** Number of examples of each class, [class]. */
export function countClasses(set: Pick<ExampleSet, 'labels' | 'numClasses'>): number[] {
  const counts = new Array<number>(set.numClasses).fill(0)
  for (const label of set.labels) counts[label]! += 1
  return counts
}

function at(values: Int32Array, index: number): { index: number; value: number } {
  const value = values[index]
  if (value === undefined)
    throw new RangeError(`example ${index} is not one of the ${values.length} of this set`)
  return { index, value }
}
