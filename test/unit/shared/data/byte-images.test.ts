import { describe, expect, it } from 'vitest'
import { byteImages } from '../../../../shared/data/byte-images.ts'

const two = byteImages({
  inputShape: [1, 2, 2],
  numClasses: 3,
  pixels: Uint8Array.of(0, 255, 51, 102, 10, 20, 30, 40),
  labels: Int32Array.of(2, 0),
  mean: [0.5, 0.25],
  std: [0.5, 0.125],
})

describe('byteImages', () => {
  it('should normalise each channel by its own mean and standard deviation', () => {
    const inputs = two.inputs([0])
    const expected = [(0 - 0.5) / 0.5, (1 - 0.25) / 0.125, (0.2 - 0.5) / 0.5, (0.4 - 0.25) / 0.125]
    expect([...inputs]).toEqual(expected.map(Math.fround))
  })

  it('should give the examples in the order asked for, again if asked again', () => {
    const inputs = two.inputs([1, 0, 1])
    expect(inputs.slice(0, 4)).toEqual(two.inputs([1]))
    expect(inputs.slice(4, 8)).toEqual(two.inputs([0]))
    expect(inputs.slice(8)).toEqual(two.inputs([1]))
  })

  it('should refuse an example that is not in the set', () => {
    for (const index of [-1, 2, 0.5]) expect(() => two.inputs([index])).toThrow(RangeError)
  })

  it('should refuse pixels of another number of images', () => {
    const images = { inputShape: [1, 2, 2] as const, numClasses: 1, mean: [0, 0], std: [1, 1] }
    expect(() =>
      byteImages({ ...images, pixels: new Uint8Array(7), labels: new Int32Array(2) }),
    ).toThrow(RangeError)
  })
})
