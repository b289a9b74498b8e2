import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { concatenate } from '../../../../shared/data/concatenate.ts'
import { subset } from '../../../../shared/data/subset.ts'
import { blobExamples } from '../../../support/array-examples.ts'

const SHAPE = { inputShape: [2], numClasses: 3 }
const first = blobExamples(SHAPE, 5, 'first')
const second = subset(blobExamples(SHAPE, 7, 'second'), [0, 1, 2, 3, 4, 5, 6])

describe('concatenate', () => {
  it('should hold the examples of both, those of the first in front', () => {
    const both = concatenate(first, second)
    expect([...both.labels]).toEqual([...first.labels, ...second.labels])
    expect(both.inputs([1])).toEqual(first.inputs([1]))
    expect(both.inputs([5 + 6])).toEqual(second.inputs([6]))
  })

  it('should give inputs in the order asked for, however they are mixed', () => {
    const both = concatenate(first, second)
    fc.assert(
      fc.property(fc.array(fc.nat(11), { maxLength: 20 }), (indices) => {
        const expected = indices.flatMap((index) => [
          ...(index < 5 ? first.inputs([index]) : second.inputs([index - 5])),
        ])
        expect([...both.inputs(indices)]).toEqual(expected)
      }),
    )
  })

  it('should refuse an index outside of both', () => {
    expect(() => concatenate(first, second).inputs([12])).toThrow(RangeError)
  })

  it('should refuse sets that do not fit together, with both shapes', () => {
    const other = blobExamples({ inputShape: [3], numClasses: 3 }, 5, 'other')
    expect(() => concatenate(first, other)).toThrow(/\[2\].*\[3\].*GRAFT_SHAPE_MISMATCH/)
  })
})
