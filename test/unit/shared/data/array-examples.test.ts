import { describe, expect, it } from 'vitest'
import { arrayExamples } from '../../../../shared/data/array-examples.ts'

const SHAPE = { inputShape: [2], numClasses: 3 }

describe('arrayExamples', () => {
  it('should give the inputs asked for, in their order', () => {
    const set = arrayExamples(SHAPE, Float32Array.of(1, 2, 3, 4, 5, 6), Int32Array.of(2, 0, 1))
    expect([...set.inputs([2, 0, 2])]).toEqual([5, 6, 1, 2, 5, 6])
    expect([...set.labels]).toEqual([2, 0, 1])
    expect(set).toMatchObject(SHAPE)
  })

  it('should refuse inputs that are not one a label, and examples that are not there', () => {
    const make = (inputs: number) =>
      arrayExamples(SHAPE, new Float32Array(inputs), Int32Array.of(0, 1))
    expect(() => make(5)).toThrow('5 numbers are not 2 inputs of 2')
    for (const index of [-1, 2, 0.5]) expect(() => make(4).inputs([index])).toThrow(RangeError)
  })
})
