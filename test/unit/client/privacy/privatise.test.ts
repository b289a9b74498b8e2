import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { privatise } from '../../../../client/privacy/privatise.ts'
import type { Weights } from '../../../../shared/model/weights.ts'
import { normal } from '../../../../shared/numeric/random.ts'
import { createRng } from '../../../../shared/numeric/rng.ts'

describe('privatise', () => {
  it('should bring the whole update to the norm C, over all weights together', () => {
    const start = weightsOf([1, 1], [1, 1])
    const trained = weightsOf([4, 1], [1, 5])
    const released = privatise(trained, start, { clip: 1, noise: 0 }, never)
    expect(released.map(({ data }) => [...data])).toEqual([
      [expect.closeTo(1.6, 6), 1],
      [1, expect.closeTo(1.8, 6)],
    ])
  })

  it('should leave a smaller update as it is', () => {
    const start = weightsOf([1, 2])
    const [released] = privatise(weightsOf([1.5, 2]), start, { clip: 1, noise: 0 }, never)
    expect([...released!.data]).toEqual([1.5, 2])
    const [still] = privatise(start, start, { clip: 1, noise: 0 }, never)
    expect([...still!.data]).toEqual([1, 2])
  })

  it('should add noise of the standard deviation sigma C to each weight', () => {
    const rng = createRng('noise')
    const zeros = weightsOf(Array<number>(40_000).fill(0))
    const [released] = privatise(zeros, zeros, { clip: 2, noise: 3 }, () => normal(rng))
    const mean = released!.data.reduce((sum, value) => sum + value, 0) / 40_000
    const variance = released!.data.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 40_000
    // 6, not the 36 or the 2.4 of a variance taken for a deviation.
    expect(Math.sqrt(variance)).toBeCloseTo(6, 0)
    expect(Math.abs(mean)).toBeLessThan(0.2)
  })

  it('should never let out more than C of what training changed', () => {
    const value = fc.float({ min: -100, max: 100, noNaN: true })
    const values = fc.array(value, { minLength: 3, maxLength: 3 })
    const clip = fc.double({ min: 0.01, max: 50, noNaN: true })
    fc.assert(
      fc.property(values, values, clip, (before, after, clip) => {
        const start = weightsOf(before)
        const [released] = privatise(weightsOf(after), start, { clip, noise: 0 }, never)
        const moved = Math.hypot(...released!.data.map((each, i) => each - start[0]!.data[i]!))
        expect(moved).toBeLessThanOrEqual(clip * (1 + 1e-6) + 1e-4)
      }),
      { seed: 7 },
    )
  })
})

function weightsOf(...all: readonly (readonly number[])[]): Weights {
  return all.map((values, i) => ({
    name: `w${i}`,
    shape: [values.length],
    data: Float32Array.from(values),
  }))
}

function never(): number {
  throw new Error('no noise was asked for')
}
