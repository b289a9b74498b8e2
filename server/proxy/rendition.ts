import type { ExampleSet } from '../../shared/data/example-set.ts'
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
  const [partnerDown, partnerRight] = [down, right].map(() => draw(new Int32Array(size), shift))

  const inputs = (indices: ArrayLike<number>): Float32Array => {
    const mixed = examples.inputs(indices)
    const others = examples.inputs(Int32Array.from(indices, (index) => partners[index]!))
    const length = mixed.length / indices.length
    for (let i = 0; i < indices.length; i++) {
      const index = indices[i]!
      const [own, other] = [mixed, others].map((all) => all.subarray(i * length, (i + 1) * length))
      const movedOwn = moved(own!, inputShape, down[index]!, right[index]!)
      const movedOther = moved(other!, inputShape, partnerDown![index]!, partnerRight![index]!)
      const a = mixes[index]!
      for (let j = 0; j < length; j++) own![j] = (1 - a) * movedOwn[j]! + a * movedOther[j]!
    }
    return mixed
  }
  return { inputShape, numClasses, labels, inputs, partners, mixes }
}

/** An image moved down and to the right, its edges repeated; anything else comes back as it is. */
function moved(
  input: Float32Array,
  shape: readonly number[],
  down: number,
  right: number,
): Float32Array {
  if (shape.length !== 3 || (down === 0 && right === 0)) return input.slice()
  const [height, width, channels] = shape as [number, number, number]
  const output = new Float32Array(input.length)
  const within = (value: number, size: number) => Math.min(Math.max(value, 0), size - 1)
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const from = (within(row - down, height) * width + within(column - right, width)) * channels
      const to = (row * width + column) * channels
      for (let c = 0; c < channels; c++) output[to + c] = input[from + c]!
    }
  }
  return output
}
