import type { Rng } from '../numeric/rng.ts'
import { groupByClass } from './group-by-class.ts'

export interface DrawInput {
  /** Class of each example, [size]. */
  readonly labels: Int32Array
  readonly numClasses: number
  /** How many to draw; 0 to size. */
  readonly count: number
  readonly rng: Rng
}

/**
 * Draws examples balanced by class: one class after another gives one example until there are enough,
 * so class counts differ by at most 1 while no class runs out.
 *
 * @returns positions in `labels`, ascending, [count]
 * @throws RangeError when there are not `count` examples
 */
export function drawBalanced(input: DrawInput): Int32Array {
  const groups = shuffledGroups(input)
  // Which classes give one more when `count` is no multiple of their number is drawn, too.
  const order = input.rng.split('order').shuffle(groups)
  const drawn: number[] = []
  for (let turn = 0; drawn.length < input.count; turn++) {
    for (const group of order) {
      const position = group[turn]
      if (position !== undefined && drawn.length < input.count) drawn.push(position)
    }
  }
  return Int32Array.from(drawn).sort()
}

/**
 * Draws examples in the proportions of the classes: each class gives its exact share rounded down, and
 * those with the largest remainders one more (the largest-remainder method; ties to the lower class).
 *
 * @returns positions in `labels`, ascending, [count]
 * @throws RangeError when there are not `count` examples
 */
export function drawProportional(input: DrawInput): Int32Array {
  const groups = shuffledGroups(input)
  const quotas = groups.map((group) => {
    const exact = (group.length * input.count) / input.labels.length
    return { group, whole: Math.floor(exact), remainder: exact - Math.floor(exact) }
  })
  const missing = input.count - quotas.reduce((sum, { whole }) => sum + whole, 0)
  const byRemainder = quotas.toSorted((a, b) => b.remainder - a.remainder)
  const drawn = byRemainder.flatMap(({ group, whole }, rank) =>
    group.slice(0, whole + (rank < missing ? 1 : 0)),
  )
  return Int32Array.from(drawn).sort()
}

function shuffledGroups({ labels, numClasses, count, rng }: DrawInput): number[][] {
  if (!(Number.isInteger(count) && count >= 0 && count <= labels.length))
    throw new RangeError(`cannot draw ${count} of ${labels.length} examples`)
  return groupByClass(labels, numClasses).map((group, c) => rng.split(`class-${c}`).shuffle(group))
}
