import { describe, expect, it } from 'vitest'
import { parseIdx } from '../../../../shared/data/idx.ts'

const FILE = Uint8Array.of(0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6)

describe('parseIdx', () => {
  it('should read the shape and the elements', () => {
    const { shape, data } = parseIdx(FILE, 'x', 2)
    expect(shape).toEqual([2, 3])
    expect([...data]).toEqual([1, 2, 3, 4, 5, 6])
  })

  it('should read from the middle of a larger buffer', () => {
    const padded = new Uint8Array(FILE.length + 5)
    padded.set(FILE, 5)
    expect([...parseIdx(padded.subarray(5), 'x', 2).data]).toEqual([1, 2, 3, 4, 5, 6])
  })

  it('should refuse a file of every shorter length, and a longer one', () => {
    for (let length = 0; length < FILE.length; length++)
      expect(() => parseIdx(FILE.slice(0, length), 'cut.idx', 2)).toThrow(
        /cut\.idx .*GRAFT_DATASET_INVALID/,
      )
    const longer = Uint8Array.of(...FILE, 0)
    expect(() => parseIdx(longer, 'x', 2)).toThrow(/19 bytes, its header says 18/)
  })

  it('should refuse another magic number', () => {
    expect(() => parseIdx(FILE, 'x', 3)).toThrow(/0x00000802, not 0x00000803/)
  })
})
