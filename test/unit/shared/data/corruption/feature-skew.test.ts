import { describe, expect, it } from 'vitest'
import { arrayExamples } from '../../../../../shared/data/array-examples.ts'
import { byteImages } from '../../../../../shared/data/byte-images.ts'
import {
  type ClientSkew,
  parseFeatureSkew,
  skewFeatures,
} from '../../../../../shared/data/corruption/feature-skew.ts'
import { createRng } from '../../../../../shared/numeric/rng.ts'

describe('rotation', () => {
  const square = [1, 2, 3, 4, 5, 6, 7, 8, 9]

  it('should turn counter-clockwise, exactly by quarter turns', () => {
    const turned = (value: number) => skewed(square, [3, 3, 1], { kind: 'rotation', value })
    expect(turned(90)).toEqual([3, 6, 9, 2, 5, 8, 1, 4, 7])
    expect(turned(-90)).toEqual([7, 4, 1, 8, 5, 2, 9, 6, 3])
    expect(turned(180)).toEqual(square.toReversed())
  })

  it('should mix the four nearest pixels, and repeat the edge', () => {
    const turned = skewed([0, 0, 0, 1, 1, 1, 0, 0, 0], [3, 3, 1], { kind: 'rotation', value: 45 })
    // Right of the middle comes from (1 + r, 1 + r) with r = sqrt(1/2): a share of (1 - r) of the middle row.
    const r = Math.SQRT1_2
    expect(turned[4]).toBe(1)
    expect(turned[5]).toBeCloseTo(1 - r, 6)
    // The lower left corner comes from left of the image, in the middle row; the upper left from above it.
    expect([turned[6], turned[0]]).toEqual([1, 0])
  })

  it('should turn each channel alike, and images that are not square', () => {
    const value = 180
    const wide = [1, 10, 2, 20, 3, 30, 4, 40, 5, 50, 6, 60]
    expect(skewed(wide, [2, 3, 2], { kind: 'rotation', value })).toEqual([
      6, 60, 5, 50, 4, 40, 3, 30, 2, 20, 1, 10,
    ])
  })
})

describe('blur', () => {
  it('should spread a point by a Gaussian, with sums of 1', () => {
    const point = Array.from({ length: 49 }, (_, i) => (i === 24 ? 1 : 0))
    const blurred = skewed(point, [7, 7, 1], { kind: 'blur', value: 1 })
    const weights = [-3, -2, -1, 0, 1, 2, 3].map((d) => Math.exp((-d * d) / 2))
    const sum = weights.reduce((a, b) => a + b)
    for (let y = 0; y < 7; y++)
      for (let x = 0; x < 7; x++)
        expect(blurred[7 * y + x]).toBeCloseTo((weights[y]! * weights[x]!) / sum ** 2, 6)
  })

  it('should leave one colour as it is, up to the edge, each channel its own', () => {
    const flat = Array.from({ length: 5 * 4 * 3 }, (_, i) => [0.25, -1, 3][i % 3]!)
    const blurred = skewed(flat, [5, 4, 3], { kind: 'blur', value: 2 })
    blurred.forEach((value, i) => expect(value).toBeCloseTo(flat[i]!, 6))
  })
})

describe('contrast', () => {
  it('should bring values towards the mean of their channel', () => {
    const image = [0, 10, 4, 10, 0, 10, 4, 30]
    const half = skewed(image, [2, 2, 2], { kind: 'contrast', value: 0.5 })
    expect(half).toEqual([1, 12.5, 3, 12.5, 1, 12.5, 3, 22.5])
    const none = skewed(image, [2, 2, 2], { kind: 'contrast', value: 0 })
    expect(none).toEqual([2, 15, 2, 15, 2, 15, 2, 15])
  })
})

describe('skewFeatures', () => {
  it('should give the same images before and after normalisation', () => {
    const pixels = Uint8Array.from({ length: 2 * 5 * 4 * 3 }, (_, i) => (i * 37) % 256)
    const [mean, std] = [
      [0.2, 0.5, 0.1],
      [0.3, 2, 0.25],
    ]
    const images = { inputShape: [5, 4, 3] as const, numClasses: 2, pixels }
    const labels = Int32Array.of(0, 1)
    const bytes = byteImages({ ...images, labels, mean: [0, 0, 0], std: [1, 1, 1] })
    const normal = byteImages({ ...images, labels, mean, std })
    for (const skews of SKEWS) {
      const expected = skewFeatures(bytes, skews).inputs([1])
      const found = skewFeatures(normal, skews).inputs([1])
      found.forEach((value, i) => {
        expect(value * std[i % 3]! + mean[i % 3]!).toBeCloseTo(expected[i]!, 5)
      })
    }
  })

  it('should apply several in order, to the examples asked for', () => {
    const set = images([1, 2, 3, 4, 10, 20, 30, 40], [2, 2, 1])
    const both = skewFeatures(set, [
      { kind: 'rotation', value: 90 },
      { kind: 'contrast', value: 0 },
    ])
    expect([...both.inputs([1, 0])]).toEqual([25, 25, 25, 25, 2.5, 2.5, 2.5, 2.5])
    expect([...set.inputs([0])]).toEqual([1, 2, 3, 4])
  })

  it('should refuse data that are no images', () => {
    const table = images([1, 2], [2])
    expect(() => skewFeatures(table, [{ kind: 'blur', value: 1 }])).toThrow(
      /for images.*these inputs are \[2\]: leave it out.*GRAFT_OPTION_INVALID/,
    )
  })
})

describe('parseFeatureSkew', () => {
  it('should read several, each with its clients', () => {
    const [rotation, blur] = parseFeatureSkew('rotation:30@0,2+blur:1.5')
    expect(rotation).toMatchObject({ kind: 'rotation', amount: 30 })
    expect([...rotation!.clients.choose(3, createRng(''))]).toEqual([0, 2])
    expect(blur).toMatchObject({ kind: 'blur', amount: 1.5 })
  })

  it.each([
    ['', /write rotation:DEGREES, blur:SIGMA, contrast:FACTOR, each \[@CLIENTS\]/],
    ['noise:1', /"noise:1" is not allowed/],
    ['rotation', /DEGREES above 0 and at most 180/],
    ['rotation:181', /at most 180/],
    ['blur:0', /SIGMA in pixels above 0/],
    ['contrast:1', /FACTOR from 0, one grey, to below 1/],
    ['blur:1+', /"" is not allowed/],
    ['blur:1@nobody', /clients "nobody"/],
  ])('should say what is allowed instead of "%s"', (text, message) => {
    expect(() => parseFeatureSkew(text)).toThrow(message)
  })
})

const SKEWS: ClientSkew[][] = [
  [{ kind: 'rotation', value: 20 }],
  [{ kind: 'blur', value: 0.8 }],
  [{ kind: 'contrast', value: 0.3 }],
  [
    { kind: 'contrast', value: 0.6 },
    { kind: 'rotation', value: -100 },
    { kind: 'blur', value: 1 },
  ],
]

function images(values: readonly number[], inputShape: readonly number[]) {
  const size = values.length / inputShape.reduce((a, b) => a * b)
  return arrayExamples(
    { inputShape, numClasses: 2 },
    Float32Array.from(values),
    new Int32Array(size),
  )
}

function skewed(
  values: readonly number[],
  inputShape: readonly number[],
  skew: ClientSkew,
): number[] {
  return [...skewFeatures(images(values, inputShape), [skew]).inputs([0])]
}
