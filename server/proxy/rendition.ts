import type { ExampleSet } from '../../shared/data/example-set.ts'
import { sizeOf } from '../../shared/model/weights.ts'
import type { Rng } from '../../shared/numeric/rng.ts'

/** A set of examples shown in another way: each moved a little and mixed with another one. */
export interface Rendition extends ExampleSet {
  /** Example that each one is mixed with, [size]. */
  readonly partners: Int32Array
  /** a in `(1 - a) x + a partner`, in [-0.5, 1), [size]. */
  readonly mixes: Float32Array
}

/** Pixels that an image moves at most, up or down and left or right. */
const LARGEST_SHIFT = 1
const SMALLEST_MIX = -0.5

/**
 * A maker of renditions: images, [height, width, channels], are moved by up to a pixel, with their edges drawn
 * out; then every example is mixed with another one, as in mixup (Zhang et al. 2017, arXiv 1710.09412) but
 * also away from it. What a teacher says about such inputs is more than what it says about the few that
 * there are: "consistent and patient" distillation, Beyer et al. 2021 (arXiv 2106.05237), section 3.
 *
 * The examples' inputs are asked for once and kept in memory, for all renditions together.
 *
 * @returns draws a rendition, labelled as `examples`; its inputs are made when asked for, the same ones each time
 */
export function createRenditions(examples: ExampleSet): (rng: Rng) => Rendition {
  const { labels, inputShape, numClasses } = examples
  const size = labels.length
  const stride = sizeOf(inputShape)
  const plain = examples.inputs(Int32Array.from(labels.keys()))
  const sources = createSources(inputShape)
  const draw = <A extends Int32Array | Float32Array>(into: A, one: () => number): A => {
    for (let i = 0; i < size; i++) into[i] = one()
    return into
  }

  return (rng) => {
    const partners = draw(new Int32Array(size), () => Math.floor(rng.next() * size))
    const mixes = draw(new Float32Array(size), () => SMALLEST_MIX + (1 - SMALLEST_MIX) * rng.next())
    const shift = () => Math.floor(rng.next() * (2 * LARGEST_SHIFT + 1)) - LARGEST_SHIFT
    const [down, right] = [draw(new Int32Array(size), shift), draw(new Int32Array(size), shift)]
    const [partnerDown, partnerRight] = [
      draw(new Int32Array(size), shift),
      draw(new Int32Array(size), shift),
    ]
    const inputs = (indices: ArrayLike<number>): Float32Array => {
      const mixed = new Float32Array(indices.length * stride)
      for (let i = 0; i < indices.length; i++) {
        const index = indices[i]!
        if (!(index in labels))
          throw new RangeError(`example ${index} is not one of the ${size} of this set`)
        const partner = partners[index]!
        mix(mixed.subarray(i * stride, (i + 1) * stride), mixes[index]!, [
          {
            input: plain.subarray(index * stride, (index + 1) * stride),
            from: sources(down[index]!, right[index]!),
          },
          {
            input: plain.subarray(partner * stride, (partner + 1) * stride),
            from: sources(partnerDown[index]!, partnerRight[index]!),
          },
        ])
      }
      return mixed
    }
    return { inputShape, numClasses, labels, inputs, partners, mixes }
  }
}

interface Source {
  readonly input: Float32Array
  /** Which number of the input each number is. */
  readonly from: Int32Array
}

/** Writes one input: `(1 - a)` of the first source, `a` of the second. */
function mix(
  into: Float32Array,
  a: number,
  [{ input: own, from: fromOwn }, { input: other, from: fromOther }]: readonly [Source, Source],
): void {
  for (let j = 0; j < into.length; j++) {
    into[j] = (1 - a) * own[fromOwn[j]!]! + a * other[fromOther[j]!]!
  }
}

/**
 * Where the numbers of a moved input come from: an image's from so many pixels above and to the left, at
 * its edges from the edge; those of anything else stay where they are.
 */
function createSources(shape: readonly number[]): (down: number, right: number) => Int32Array {
  const shifts = 2 * LARGEST_SHIFT + 1
  const known: Int32Array[] = []
  return (down, right) =>
    (known[(down + LARGEST_SHIFT) * shifts + right + LARGEST_SHIFT] ??= movedSources(
      shape,
      down,
      right,
    ))
}

function movedSources(shape: readonly number[], down: number, right: number): Int32Array {
  const sources = Int32Array.from({ length: sizeOf(shape) }, (_, at) => at)
  if (shape.length !== 3) return sources
  const [height, width, channels] = shape as [number, number, number]
  const within = (value: number, size: number) => Math.min(Math.max(value, 0), size - 1)
  return sources.map((at) => {
    const [pixel, channel] = [Math.floor(at / channels), at % channels]
    const [row, column] = [Math.floor(pixel / width), pixel % width]
    const from = within(row - down, height) * width + within(column - right, width)
    return from * channels + channel
  })
}
