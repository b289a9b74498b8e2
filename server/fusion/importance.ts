import type { Level } from '../../shared/model/levels.ts'
import type { NamedTensor } from '../../shared/model/weights.ts'

/** p of the norm without its root: l2 sums squares, l1 sums magnitudes. */
export type Norm = 'l2' | 'l1'

/**
 * Magnitude of each neuron of a level: over the weights that make or read it, the mean of the sums of
 * `|w|^p`, p = 2 or 1. Counted are the kernel, gamma of a batch normalisation behind it, and every
 * reader; biases, beta and moving statistics are not. This is Torch-Pruning's group magnitude, which
 * NT prunes by (arXiv 2502.06849). A flattened channel counts all rows that read it.
 *
 * @param weights by name; must have every counted member of `level`
 * @returns [width], in float64
 */
export function magnitudes(
  weights: ReadonlyMap<string, NamedTensor>,
  level: Level,
  norm: Norm,
): Float64Array {
  const counted = level.members.filter(({ role }) => COUNTED_ROLES.has(role))
  const sums = counted.map(({ weight, axis, repeats }) =>
    sumPowers(weights.get(weight)!, { axis, repeats, norm }),
  )
  return sums[0]!.map((_, neuron) => sums.reduce((sum, of) => sum + of[neuron]!, 0) / sums.length)
}

const COUNTED_ROLES: ReadonlySet<string> = new Set(['kernel', 'gamma', 'reader'])

function sumPowers(
  { shape, data }: NamedTensor,
  { axis, repeats, norm }: { axis: number; repeats: number; norm: Norm },
): Float64Array {
  const length = shape[axis]!
  const width = length / repeats
  const stride = shape.slice(axis + 1).reduce((product, dim) => product * dim, 1)
  const sums = new Float64Array(width)
  // Runs of `stride` elements belong to one neuron, one run after another along the axis.
  for (let run = 0, i = 0; i < data.length; run++) {
    const neuron = (run % length) % width
    let sum = 0
    for (const end = i + stride; i < end; i++) {
      const value = data[i]!
      sum += norm === 'l2' ? value * value : Math.abs(value)
    }
    sums[neuron]! += sum
  }
  return sums
}
