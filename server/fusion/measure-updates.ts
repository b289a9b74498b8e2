import { GraftError } from '../../shared/errors.ts'
import type { Weights } from '../../shared/model/weights.ts'
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
 * Measures updates against the model that they were trained from, and against each other. One parent is loaded at a time.
 * Moving statistics are looked at, too, as what is not could be sent wrong. Sums in float64.
 *
 * @param start the global model; its weights have the names and sizes of the parents'
 * @throws GraftError GRAFT_SHAPE_MISMATCH for a parent of other sizes
 */
export async function measureUpdates(
  parents: readonly Parent[],
  start: Weights,
  mostValues: number = MOST_VALUES,
): Promise<UpdateSizes> {
  const total = start.reduce((sum, { data }) => sum + data.length, 0)
  const room = Math.max(1, Math.floor(mostValues / Math.max(1, parents.length)))
  const stride = Math.max(1, Math.ceil(total / room))
  const columns: Float32Array[] = []
  const norms: number[] = []
  for (const parent of parents) {
    const weights = await parent.load()
    const column = new Float32Array(Math.ceil(total / stride))
    /** Of this tensor's first weight, among all. */
    let first = 0
    let squares = 0
    for (const [index, { name, data }] of start.entries()) {
      const own = weights[index]
      if (own?.name !== name || own.data.length !== data.length) {
        const problem = `${parent.id} has other weights than the global model, from ${name} on.`
        throw new GraftError('GRAFT_SHAPE_MISMATCH', problem)
      }
      squares += squaredDistance(own.data, data)
      for (let k = Math.ceil(first / stride); k * stride < first + data.length; k++) {
        column[k] = own.data[k * stride - first]!
      }
      first += data.length
    }
    norms.push(Math.sqrt(squares))
    columns.push(column)
  }
  return { norms, distances: distancesToMedian(columns) }
}

function squaredDistance(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2
  return sum
}

function distancesToMedian(columns: readonly Float32Array[]): number[] {
  const squares = new Float64Array(columns.length)
  const values = new Float64Array(columns.length)
  const { length } = columns[0] ?? []
  for (let i = 0; i < length; i++) {
    for (let k = 0; k < columns.length; k++) values[k] = columns[k]![i]!
    const middle = medianOf(values)
    for (let k = 0; k < columns.length; k++) squares[k]! += (columns[k]![i]! - middle) ** 2
  }
  return Array.from(squares, Math.sqrt)
}
