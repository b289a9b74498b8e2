import { drawBalanced } from '../../shared/data/draw.ts'
import type { ExampleSet } from '../../shared/data/example-set.ts'
import { subset } from '../../shared/data/subset.ts'
import type { Rng } from '../../shared/numeric/rng.ts'

/** Examples of a set, balanced by class; all of them when it has no more than `count`. */
export function drawFrom(set: ExampleSet, count: number, rng: Rng): ExampleSet {
  const { labels, numClasses } = set
  if (count >= labels.length) return set
  return subset(set, drawBalanced({ labels, numClasses, count, rng }))
}
