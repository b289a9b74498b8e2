import type { ExampleSet } from '../data/example-set.ts'
import { countClasses } from '../data/subset.ts'

/**
 * Logarithms of how frequent the classes are among examples, [class]: `log (n_c + 1) / (n + C)`. The 1 keeps a
 * class finite that has no example.
 */
export function classLogPriors(examples: ExampleSet): Float32Array {
  const counts = countClasses(examples)
  const total = examples.labels.length + counts.length
  return Float32Array.from(counts, (count) => Math.log((count + 1) / total))
}
