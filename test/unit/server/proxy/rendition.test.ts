import { describe, expect, it } from 'vitest'
import { createRenditions } from '../../../../server/proxy/rendition.ts'
import type { ExampleSet } from '../../../../shared/data/example-set.ts'
import { createRng } from '../../../../shared/numeric/rng.ts'
import { blobs } from '../../../support/blob-task.ts'

describe('createRenditions', () => {
  it('should mix each example with its partner', () => {
    const examples = blobs('mixed', 30)
    const { inputs, partners, mixes, labels } = createRenditions(examples)(createRng('1'))
    expect(labels).toEqual(examples.labels)
    const mixed = inputs([...labels.keys()])
    for (const i of labels.keys()) {
      const [own, partner] = [examples.inputs([i]), examples.inputs([partners[i]!])]
      own.forEach((x, j) => {
        const expected = (1 - mixes[i]!) * x + mixes[i]! * partner[j]!
        expect(mixed[i * own.length + j]).toBeCloseTo(expected, 5)
      })
    }
    expect(Math.min(...mixes)).toBeLessThan(-0.3)
    expect(Math.max(...mixes)).toBeGreaterThan(0.8)
    expect(mixes.every((mix) => mix >= -0.5 && mix < 1)).toBe(true)
  })

  it('should move images by at most a pixel, each way as often, with their edges drawn out', () => {
    // Every pixel tells where it is from; all images are one, and so is every mixture without a shift.
    const side = 4
    const images: ExampleSet = {
      inputShape: [side, side, 2],
      numClasses: 1,
      labels: new Int32Array(400),
      inputs: (indices) =>
        Float32Array.from({ length: indices.length * side * side * 2 }, (_, i) => {
          const pixel = Math.floor(i / 2) % (side * side)
          return i % 2 === 0 ? Math.floor(pixel / side) : pixel % side
        }),
    }
    const { inputs, mixes } = createRenditions(images)(createRng('2'))
    const counts = new Map<string, number>()
    for (const i of images.labels.keys()) {
      if (Math.abs(mixes[i]!) > 0.02) continue
      const image = inputs([i])
      const inner = (1 * side + 1) * 2
      const shift = [1 - Math.round(image[inner]!), 1 - Math.round(image[inner + 1]!)]
      counts.set(String(shift), (counts.get(String(shift)) ?? 0) + 1)
      expect(Math.max(...image)).toBeLessThanOrEqual(side - 1 + 0.1)
      expect(Math.min(...image)).toBeGreaterThanOrEqual(-0.1)
    }
    expect(counts.size).toBeGreaterThan(4)
    for (const shift of counts.keys()) expect(shift).toMatch(/^-?[01],-?[01]$/)
  })

  it('should show the same inputs however they are asked for, and leave the examples alone', () => {
    const examples = blobs('asked', 12)
    const before = examples.inputs([3])
    const rendition = createRenditions(examples)(createRng('3'))
    const all = rendition.inputs([...examples.labels.keys()])
    expect(rendition.inputs([3])).toEqual(all.slice(3 * 6, 4 * 6))
    expect(examples.inputs([3])).toEqual(before)
    expect(createRenditions(examples)(createRng('3')).inputs([3])).toEqual(rendition.inputs([3]))
    expect(createRenditions(examples)(createRng('4')).inputs([3])).not.toEqual(
      rendition.inputs([3]),
    )
  })

  it('should refuse an example that is not there', () => {
    const { inputs } = createRenditions(blobs('few', 12))(createRng('5'))
    expect(() => inputs([12])).toThrow('example 12 is not one of the 12 of this set')
  })
})
