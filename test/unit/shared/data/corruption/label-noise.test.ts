import { describe, expect, it } from 'vitest'
import { arrayExamples } from '../../../../../shared/data/array-examples.ts'
import {
  addLabelNoise,
  parseLabelNoise,
} from '../../../../../shared/data/corruption/label-noise.ts'
import { createRng } from '../../../../../shared/numeric/rng.ts'

describe('addLabelNoise', () => {
  it('should replace the share of labels that is asked for, by each other class alike', () => {
    const noisy = addLabelNoise(classes(8000, 4), 0.3, createRng('noise')).labels
    const counts = [0, 0, 0, 0]
    for (const [i, label] of noisy.entries()) counts[(label - (i % 4) + 4) % 4]! += 1
    // Five deviations of a binomial: 205 of the labels that stay, 134 of each other class.
    expect(Math.abs(counts[0]! - 5600)).toBeLessThan(205)
    for (const other of counts.slice(1)) expect(Math.abs(other - 800)).toBeLessThan(134)
  })

  it('should leave no label right at 1, and know no other class than the other one of two', () => {
    const two = classes(50, 2)
    const noisy = addLabelNoise(two, 1, createRng('noise')).labels
    expect([...noisy]).toEqual([...two.labels].map((label) => 1 - label))
  })

  it('should leave the inputs and the set it was given as they are', async () => {
    const set = classes(6, 3)
    const noisy = addLabelNoise(set, 1, createRng('noise'))
    expect([...set.labels]).toEqual([0, 1, 2, 0, 1, 2])
    expect(noisy.inputs([4, 2])).toEqual(set.inputs([4, 2]))
  })

  it('should leave labels wrong that less noise of the same stream makes wrong', () => {
    const set = classes(200, 5)
    const [little, much] = [0.2, 0.6].map((p) => addLabelNoise(set, p, createRng('a')).labels)
    const wrong = [...little!.keys()].filter((i) => little![i] !== set.labels[i])
    expect(wrong.length).toBeGreaterThan(20)
    for (const i of wrong) expect(much![i]).toBe(little![i])
  })
})

describe('parseLabelNoise', () => {
  it('should read the probability and the clients', () => {
    expect(parseLabelNoise('0.2').probability).toBe(0.2)
    expect([...parseLabelNoise('1@0,2').clients.choose(3, createRng(''))]).toEqual([0, 2])
  })

  it.each(['', '0', '1.1', 'much', '0.2@', '@all', '0.2@someone'])(
    'should say what is allowed instead of "%s"',
    (text) => {
      expect(() => parseLabelNoise(text)).toThrow(/write .*first:N.*GRAFT_OPTION_INVALID/)
    },
  )
})

function classes(size: number, numClasses: number) {
  const labels = Int32Array.from({ length: size }, (_, i) => i % numClasses)
  const inputs = Float32Array.from({ length: size }, (_, i) => i)
  return arrayExamples({ inputShape: [1], numClasses }, inputs, labels)
}
