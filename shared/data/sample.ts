import type { Rng } from '../numeric/rng.ts'
import { drawProportional } from './draw.ts'
import type { ExampleSet } from './example-set.ts'
import { subset } from './subset.ts'

/** At most `count` examples, with the shares of classes of all. */
export function sample(examples: ExampleSet, count: number, rng: Rng): ExampleSet {
  const { labels, numClasses } = examples
  if (labels.length <= count) return examples
  return subset(examples, drawProportional({ labels, numClasses, count, rng }))
}
