import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { measureUpdates } from '../../../../server/fusion/measure-updates.ts'
import type { Parent } from '../../../../server/fusion/strategy.ts'
import { readerOf } from '../../../../shared/model/weight-reader.ts'
import type { Weights } from '../../../../shared/model/weights.ts'

const SIZES = [6, 3, 4]
const TOTAL = 13

describe('measureUpdates', () => {
  it('should measure from the global model, and from the median of all', async () => {
    const start = weightsOf(Array<number>(TOTAL).fill(0))
    const parents = [1, 2, 9].map((value) =>
      parentOf(String(value), Array<number>(TOTAL).fill(value)),
    )
    const { norms, distances } = await measureUpdates(parents, readerOf(start))
    expectClose(
      norms,
      [1, 2, 9].map((value) => value * Math.sqrt(TOTAL)),
    )
    expectClose(
      distances,
      [1, 0, 7].map((by) => by * Math.sqrt(TOTAL)),
    )
  })

  it('should agree with slow loops', async () => {
    const numbers = fc.array(fc.float({ min: -4, max: 4, noNaN: true }), {
      minLength: TOTAL,
      maxLength: TOTAL,
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(numbers, { minLength: 1, maxLength: 5 }),
        numbers,
        async (all, w0) => {
          const parents = all.map((values, k) => parentOf(`p${k}`, values))
          const { norms, distances } = await measureUpdates(parents, readerOf(weightsOf(w0)))
          all.forEach((values, k) => {
            expect(norms[k]).toBeCloseTo(Math.hypot(...values.map((value, i) => value - w0[i]!)), 6)
            const middle = (i: number) => {
              const sorted = all.map((other) => other[i]!).sort((a, b) => a - b)
              return (sorted[(all.length - 1) >> 1]! + sorted[all.length >> 1]!) / 2
            }
            expect(distances[k]).toBeCloseTo(Math.hypot(...values.map((v, i) => v - middle(i))), 6)
          })
        },
      ),
      { seed: 7, numRuns: 50 },
    )
  })

  it('should look at some weights for the median where there are too many, and at all for the norm', async () => {
    const start = weightsOf(Array<number>(TOTAL).fill(0))
    const parents = [0, 0, 4].map((value, k) => parentOf(`p${k}`, Array<number>(TOTAL).fill(value)))
    const { norms, distances } = await measureUpdates(parents, readerOf(start), 3 * 7)
    expect(norms[2]).toBeCloseTo(4 * Math.sqrt(TOTAL), 9)
    expect(distances[2]).toBeCloseTo(4 * Math.sqrt(7), 9)
  })

  it('should refuse a parent of other sizes', async () => {
    const short = parentOf('short', Array<number>(TOTAL).fill(0))
    const load = async () => (await short.load()).slice(1)
    await expect(
      measureUpdates([{ ...short, load }], readerOf(weightsOf(Array<number>(TOTAL).fill(0)))),
    ).rejects.toMatchObject({ code: 'GRAFT_SHAPE_MISMATCH' })
  })
})

function expectClose(found: readonly number[], wanted: readonly number[]): void {
  expect(found).toHaveLength(wanted.length)
  found.forEach((value, k) => {
    expect(value).toBeCloseTo(wanted[k]!, 9)
  })
}

function weightsOf(values: readonly number[]): Weights {
  let at = 0
  return SIZES.map((size, i) => {
    const data = Float32Array.from(values.slice(at, (at += size)))
    return { name: `w${i}`, shape: [size], data }
  })
}

function parentOf(id: string, values: readonly number[]): Parent {
  const load = async () => weightsOf(values)
  return { id, numExamples: 1, classCounts: [1], scores: [], load }
}
