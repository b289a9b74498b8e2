import { sizeOf } from '../../model/weights.ts'
import type { Rng } from '../../numeric/rng.ts'
import { groupByClass } from '../group-by-class.ts'
import { invalidData, type RawData, type RawSplit } from './raw-data.ts'

/** Data with both parts. */
export interface SplitData extends RawData {
  readonly test: RawSplit
}

/** One in so many examples of each class judges. */
const ONE_IN = 5

/**
 * Gives data that do not say which examples judge a test part: a fifth of each class, at least one where
 * there are two. Data that say so stay as they are.
 *
 * @throws GraftError GRAFT_DATA_INVALID when no class has two examples
 */
export function holdOut(data: RawData, rng: Rng): SplitData {
  if (data.test !== null) return { ...data, test: data.test }
  const isTest = new Uint8Array(data.train.labels.length)
  groupByClass(data.train.labels, data.numClasses).forEach((group, c) => {
    const count = group.length < 2 ? 0 : Math.max(1, Math.round(group.length / ONE_IN))
    for (const index of rng.split(`class-${c}`).shuffle(group).slice(0, count)) isTest[index] = 1
  })
  const indices = [...isTest.keys()]
  const pick = (wanted: number) => {
    const chosen = indices.filter((index) => isTest[index] === wanted)
    return takeRows(data.train, chosen, sizeOf(data.inputShape))
  }
  const [train, test] = [pick(0), pick(1)]
  if (test.labels.length === 0) {
    throw invalidData(
      `No class has two examples, one to learn from and one to judge by; there are ${indices.length} in all.`,
    )
  }
  const note = `The data have no test part: ${test.labels.length} of ${indices.length} examples, a fifth of each class drawn by the seed, are held out to judge.`
  return { ...data, train, test, notes: [...data.notes, note] }
}

function takeRows({ values, labels }: RawSplit, rows: readonly number[], stride: number): RawSplit {
  const size = rows.length * stride
  const taken = values instanceof Uint8Array ? new Uint8Array(size) : new Float32Array(size)
  rows.forEach((row, i) => {
    taken.set(values.subarray(row * stride, (row + 1) * stride), i * stride)
  })
  return { values: taken, labels: Int32Array.from(rows, (row) => labels[row]!) }
}
