import { describe, expect, it } from 'vitest'
import { byteImages } from '../../../../shared/data/byte-images.ts'
import { renormalise } from '../../../../shared/data/renormalise.ts'

const FROM = { mean: [0.25, 0.5], std: [0.5, 2] }
const TO = { mean: [0.1, -0.3], std: [0.3, 0.7] }
const IMAGES = {
  inputShape: [1, 2, 2] as const,
  numClasses: 2,
  pixels: Uint8Array.of(0, 10, 200, 255, 7, 8, 9, 100),
  labels: Int32Array.of(0, 1),
}

describe('renormalise', () => {
  it('should be as if the bytes had been normalised so', () => {
    const actual = renormalise(byteImages({ ...IMAGES, ...FROM }), FROM, TO)
    const expected = byteImages({ ...IMAGES, ...TO }).inputs([1, 0])
    actual.inputs([1, 0]).forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 6))
    expect(actual.labels).toEqual(IMAGES.labels)
  })

  it('should change no bit when nothing is to change', () => {
    const set = byteImages({ ...IMAGES, ...FROM })
    expect(renormalise(set, FROM, FROM).inputs([0, 1])).toEqual(set.inputs([0, 1]))
  })

  it('should refuse numbers for other channels', () => {
    const set = byteImages({ ...IMAGES, ...FROM })
    expect(() => renormalise(set, FROM, { mean: [0], std: [1] })).toThrow(RangeError)
  })
})
