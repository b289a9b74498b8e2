import { GraftError } from '../../shared/errors.ts'
import {
  BLOCK_LENGTH,
  countNumbers,
  openWeights,
  type Stretch,
  stretchesOf,
  type WeightReader,
} from '../../shared/model/weight-reader.ts'
import { blocksOf } from '../../shared/model/weight-stream.ts'
import { type NamedShape, sizeOf } from '../../shared/model/weights.ts'
import { medianOf } from '../../shared/numeric/median.ts'
import type { Parent } from './strategy.ts'

/** How far each parent has moved, in the order of the parents. */
export interface UpdateSizes {
  /** |w_k - w_0|: L2, over all weights. */
  readonly norms: readonly number[]
  /** |w_k - m|, m the coordinate-wise median of all parents; over evenly spaced weights where there are too many. */
  readonly distances: readonly number[]
}

/** Numbers that are held beside each other for the median: 4 MiB. Of 200 parents it takes 5,242 weights of each. */
const MOST_VALUES = 1 << 20

/**
 * Measures updates against the model that they were trained from, and against each other. A block of one parent is in memory at
 * a time. Moving statistics are looked at, too, as what is not could be sent wrong. Sums in float64.
 *
 * @param start the global model; its weights have the names and sizes of the parents'
 * @throws GraftError GRAFT_SHAPE_MISMATCH for a parent of other sizes
 */
export async function measureUpdates(
  parents: readonly Parent[],
  start: WeightReader,
  mostValues: number = MOST_VALUES,
): Promise<UpdateSizes> {
  const { shapes } = start
  const total = countNumbers(shapes)
  const room = Math.max(1, Math.floor(mostValues / Math.max(1, parents.length)))
  const stride = Math.max(1, Math.ceil(total / room))
  const readers: WeightReader[] = []
  for (const parent of parents) readers.push(await openAs(shapes, parent))
  const columns = parents.map(() => new Float32Array(Math.ceil(total / stride)))
  const distances = parents.map(() => createDistance(shapes))
  const most = Math.min(total, BLOCK_LENGTH)
  const [before, own] = [new Float32Array(most), new Float32Array(most)]
  for (const { from, length } of blocksOf(total)) {
    const [old, now] = [before.subarray(0, length), own.subarray(0, length)]
    await start.read(from, old)
    const stretches = stretchesOf(shapes, from, length)
    for (const [k, reader] of readers.entries()) {
      await reader.read(from, now)
      distances[k]!.add(stretches, now, old)
      gather(columns[k]!, now, from, stride)
    }
  }
  const norms = distances.map(({ squares }) => Math.sqrt(squares()))
  return { norms, distances: distancesToMedian(columns) }
}

async function openAs(shapes: readonly NamedShape[], parent: Parent): Promise<WeightReader> {
  const reader = await openWeights(parent)
  for (const [index, { name, shape }] of shapes.entries()) {
    const own = reader.shapes[index]
    if (own?.name === name && sizeOf(own.shape) === sizeOf(shape)) continue
    const problem = `${parent.id} has other weights than the global model, from ${name} on.`
    throw new GraftError('GRAFT_SHAPE_MISMATCH', problem)
  }
  return reader
}

/** Sums squared differences by weight, and then the weights, so that no block shows in the sum. */
function createDistance(shapes: readonly NamedShape[]) {
  let [squares, ofWeight] = [0, 0]
  return {
    add(stretches: readonly Stretch[], a: Float32Array, b: Float32Array): void {
      for (const { index, offset, at, size } of stretches) {
        const [own, other] = [a.subarray(at, at + size), b.subarray(at, at + size)]
        ofWeight = addSquares(ofWeight, own, other)
        if (offset + size < sizeOf(shapes[index]!.shape)) continue
        squares += ofWeight
        ofWeight = 0
      }
    },
    squares: () => squares,
  }
}

/**
 * `sum + sum_i (a_i - b_i)^2`, in order. A sum that functions share, as the caller's, would be a new number on the heap at every
 * step.
 */
function addSquares(sum: number, a: Float32Array, b: Float32Array): number {
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2
  return sum
}

/** Every `stride`-th of all numbers, of which `now` has those from `from` on. */
function gather(column: Float32Array, now: Float32Array, from: number, stride: number): void {
  let c = Math.ceil(from / stride)
  for (let i = c * stride - from; i < now.length; i += stride) column[c++] = now[i]!
}

function distancesToMedian(columns: readonly Float32Array[]): number[] {
  const squares = new Float64Array(columns.length)
  const values = new Float64Array(columns.length)
  const { length } = columns[0] ?? []
  for (let i = 0; i < length; i++) {
    for (let k = 0; k < columns.length; k++) values[k] = columns[k]![i]!
    const middle = medianOf(values)
    for (let k = 0; k < columns.length; k++) squares[k]! += (values[k]! - middle) ** 2
  }
  return Array.from(squares, Math.sqrt)
}
