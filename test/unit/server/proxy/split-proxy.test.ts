import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { splitProxy } from '../../../../server/proxy/split-proxy.ts'
import type { ExampleSet } from '../../../../shared/data/example-set.ts'
import { countClasses } from '../../../../shared/data/subset.ts'
import { createRng } from '../../../../shared/numeric/rng.ts'

describe('splitProxy', () => {
  it('should hold out a fifth of every class', () => {
    const { train, heldOut } = splitProxy(numbered(100, 4), createRng('split'))
    expect(countClasses(train)).toEqual([20, 20, 20, 20])
    expect(countClasses(heldOut)).toEqual([5, 5, 5, 5])
  })

  it('should put every example in exactly one part, and at least one in each', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 60 }), fc.string(), (size, seed) => {
        const { train, heldOut } = splitProxy(numbered(size, 3), createRng(seed))
        expect(train.labels.length).toBeGreaterThan(0)
        expect(heldOut.labels.length).toBeGreaterThan(0)
        const numbers = [train, heldOut].flatMap((part) => [...allInputs(part)])
        expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: size }, (_, i) => i))
      }),
    )
  })

  it('should hang on the seed', () => {
    const heldOutOf = (seed: string) => [
      ...allInputs(splitProxy(numbered(50, 2), createRng(seed)).heldOut),
    ]
    expect(heldOutOf('one')).toEqual(heldOutOf('one'))
    expect(heldOutOf('one')).not.toEqual(heldOutOf('two'))
  })

  it('should refuse a proxy set of one example', () => {
    expect(() => splitProxy(numbered(1, 2), createRng('small'))).toThrow(
      expect.objectContaining({ code: 'GRAFT_OPTION_INVALID' }),
    )
  })
})

// Helpers

/** Example i has input [i] and class i mod numClasses. */
function numbered(size: number, numClasses: number): ExampleSet {
  return {
    inputShape: [1],
    numClasses,
    labels: Int32Array.from({ length: size }, (_, i) => i % numClasses),
    inputs: (indices) => Float32Array.from(indices),
  }
}

const allInputs = (set: ExampleSet): Float32Array => set.inputs([...set.labels.keys()])
