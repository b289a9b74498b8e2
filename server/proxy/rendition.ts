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
 * Draws a rendition: images, [height, width, channels], are moved by up to a pixel, with their edges drawn
 * out; then every example is mixed with another one, as in mixup (Zhang et al. 2017, arXiv 1710.09412) but
 * also away from it. What a teacher says about such inputs is more than what it says about the few that
 * there are: "consistent and patient" distillation, Beyer et al. 2021 (arXiv 2106.05237), section 3.
 *
 * @param examples must outlive the rendition
 * @returns labelled as `examples`; inputs are made when asked for, the same ones each time
 */
export function drawRendition(examples: ExampleSet, rng: Rng): Rendition {
  const { labels, inputShape, numClasses } = examples
  const size = labels.length
  const draw = <A extends Int32Array | Float32Array>(into: A, one: () => number): A => {
    for (let i = 0; i < size; i++) into[i] = one()
    return into
  }
  const partners = draw(new Int32Array(size), () => Math.floor(rng.next() * size))
  const mixes = draw(new Float32Array(size), () => SMALLEST_MIX + (1 - SMALLEST_MIX) * rng.next())
  const shift = () => Math.floor(rng.next() * (2 * LARGEST_SHIFT + 1)) - LARGEST_SHIFT
  const [down, right] = [draw(new Int32Array(size), shift), draw(new Int32Array(size), shift)]
  const [partnerDown, partnerRight] = [
    draw(new Int32Array(size), shift),
    draw(new Int32Array(size), shift),
  ]

  const sources = createSources(inputShape)

  const inputs = (indices: ArrayLike<number>): Float32Array => {
    const own = examples.inputs(indices)
    const others = examples.inputs(Int32Array.from(indices, (index) => partners[index]!))
    const mixed = new Float32Array(own.length)
    for (let i = 0; i < indices.length; i++) {
      const index = indices[i]!
      mix(mixed, (i * own.length) / indices.length, mixes[index]!, [
        { inputs: own, from: sources(down[index]!, right[index]!) },
        { inputs: others, from: sources(partnerDown[index]!, partnerRight[index]!) },
      ])
    }
    return mixed
  }
  return { inputShape, numClasses, labels, inputs, partners, mixes }
}

interface Source {
  readonly inputs: Float32Array
  /** Which number of its input each number is, [length of an input]. */
  readonly from: Int32Array
}

/** Writes one input from `start` on: `(1 - a)` of the first source, `a` of the second. */
function mix(
  into: Float32Array,
  start: number,
  a: number,
  [{ inputs: own, from: fromOwn }, { inputs: other, from: fromOther }]: readonly [Source, Source],
): void {
  for (let j = 0; j < fromOwn.length; j++) {
    into[start + j] = (1 - a) * own[start + fromOwn[j]!]! + a * other[start + fromOther[j]!]!
  }
}

/**
 * Where the numbers of a moved input come from: an image's from so many pixels above and to the left, at
 * its edges from the edge; those of anything else stay where they are.
 */
function createSources(shape: readonly number[]): (down: number, right: number) => Int32Array {
  const known = new Map<string, Int32Array>()
  return (down, right) => {
    const key = `${down},${right}`
    const found = known.get(key) ?? movedSources(shape, down, right)
    known.set(key, found)
    return found
  }
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
