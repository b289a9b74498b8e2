import { describe, expect, it } from 'vitest'
import { byteImages } from '../../../../shared/data/byte-images.ts'
import { countClasses, subset } from '../../../../shared/data/subset.ts'

const set = byteImages({
  inputShape: [1, 1, 1],
  numClasses: 3,
  pixels: Uint8Array.of(10, 20, 30, 40),
  labels: Int32Array.of(0, 2, 2, 0),
  mean: [0],
  std: [1 / 255],
})

describe('subset', () => {
  it('should number its examples anew and keep labels with inputs', () => {
    const some = subset(set, [3, 1])
    expect([...some.labels]).toEqual([0, 2])
    expect([...some.inputs([0, 1])].map(Math.round)).toEqual([40, 20])
    expect(some.inputShape).toEqual([1, 1, 1])
  })

  it('should nest', () => {
    const inner = subset(subset(set, [3, 2, 1]), [1])
    expect([...inner.labels]).toEqual([2])
    expect([...inner.inputs([0])].map(Math.round)).toEqual([30])
  })

  it('should refuse an index outside the set, when made and when read', () => {
    expect(() => subset(set, [4])).toThrow(RangeError)
    expect(() => subset(set, [0]).inputs([1])).toThrow(RangeError)
  })
})

describe('countClasses', () => {
  it('should count absent classes as 0', () => {
    expect(countClasses(set)).toEqual([2, 0, 2])
  })
})
