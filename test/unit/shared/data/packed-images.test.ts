import { describe, expect, it } from 'vitest'
import { allocateImages, viewImages } from '../../../../shared/data/packed-images.ts'

describe('packed images', () => {
  it('should be seen again as they were filled in, without a copy', () => {
    const { bytes } = example()
    const { train, test } = viewImages(bytes, 'a file')
    expect([...train.pixels]).toEqual([1, 2, 3, 4, 5, 6])
    expect([...train.labels]).toEqual([7, 8, 9])
    expect([...test.pixels]).toEqual([10, 11])
    expect([...test.labels]).toEqual([12])
    expect(train.pixels.buffer).toBe(bytes.buffer)
  })

  it('should be seen at any place in a larger array', () => {
    const { bytes } = example()
    const larger = new Uint8Array(bytes.length + 3)
    larger.set(bytes, 3)
    expect([...viewImages(larger.subarray(3), 'a file').test.pixels]).toEqual([10, 11])
  })

  it('should refuse bytes of another format or length', () => {
    const { bytes } = example()
    const other = bytes.slice()
    other[0]! ^= 1
    for (const wrong of [other, new Uint8Array(3), bytes.subarray(0, 19)])
      expect(() => viewImages(wrong, 'f')).toThrow(/f is not a file of packed.*DATASET_INVALID/)
    const cut = bytes.subarray(0, bytes.length - 1)
    expect(() => viewImages(cut, 'f')).toThrow(/f has 31 bytes, its header says 32/)
  })
})

// Helpers

function example() {
  const packed = allocateImages({ train: 3, test: 1, imageBytes: 2 })
  packed.train.pixels.set([1, 2, 3, 4, 5, 6])
  packed.train.labels.set([7, 8, 9])
  packed.test.pixels.set([10, 11])
  packed.test.labels.set([12])
  return packed
}
