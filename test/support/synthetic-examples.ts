import type { ExampleSet } from '../../shared/data/example-set.ts'
import { normal } from '../../shared/numeric/random.ts'
import type { Rng } from '../../shared/numeric/rng.ts'

export interface SyntheticOptions {
  readonly rng: Rng
  readonly size: number
  readonly numClasses: number
  /** Length of one input. */
  readonly numInputs: number
  /** Standard deviation of the noise around a class's centre; the centres are about 1 apart. */
  readonly noise: number
  /** Classes that occur; all unless given. They occur in turn. */
  readonly classes?: readonly number[]
}

/**
 * A Gaussian blob a class. The centres hang on `numClasses` and `numInputs` alone, so sets made with
 * different rngs are samples of one distribution.
 */
export function syntheticExamples(options: SyntheticOptions): ExampleSet {
  const { rng, size, numClasses, numInputs, noise } = options
  const classes = options.classes ?? Array.from({ length: numClasses }, (_, c) => c)
  const labels = Int32Array.from({ length: size }, (_, i) => classes[i % classes.length]!)
  const inputs = new Float32Array(size * numInputs)
  for (const [i, label] of labels.entries()) {
    for (let d = 0; d < numInputs; d++) {
      // Two classes agree in few inputs, so they can be told apart when there are some.
      const centre = Math.cos(1 + 2.4 * label * (d + 1))
      inputs[i * numInputs + d] = centre + noise * normal(rng)
    }
  }
  return {
    inputShape: [numInputs],
    numClasses,
    labels,
    inputs: (indices) => {
      const chosen = new Float32Array(indices.length * numInputs)
      Array.from(indices).forEach((index, row) => {
        if (!(index >= 0 && index < size)) throw new RangeError(`example ${index} of ${size}`)
        const start = index * numInputs
        chosen.set(inputs.subarray(start, start + numInputs), row * numInputs)
      })
      return chosen
    },
  }
}
