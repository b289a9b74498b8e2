import { describe, expect, it } from 'vitest'
import {
  drawProxy,
  loadFitted,
  parseNormalisation,
  parseProxy,
} from '../../../../server/offline/examples-option.ts'
import { countClasses } from '../../../../shared/data/subset.ts'
import { createRng } from '../../../../shared/numeric/rng.ts'

const SHAPE = { inputShape: [28, 28, 1], numClasses: 10 }

describe('parseProxy', () => {
  it('should read a data set and a count, or none', () => {
    expect(parseProxy('mnist:400')).toEqual({ dataset: 'mnist', count: 400 })
    expect(parseProxy('none')).toBe(null)
  })

  it('should take a count alone beside --data, and no name', () => {
    expect(parseProxy('400', 'flowers')).toEqual({ dataset: 'flowers', count: 400 })
    expect(parseProxy('none', 'flowers')).toBe(null)
    expect(() => parseProxy('mnist:400', 'flowers')).toThrow(/with --data write COUNT alone/)
    expect(() => parseProxy('0', 'flowers')).toThrow(/COUNT alone/)
  })

  it.each([
    ['mnist', /NAME:COUNT/],
    ['mnist:', /NAME:COUNT/],
    ['mnist:4e2', /NAME:COUNT/],
    ['mnist:-4', /NAME:COUNT/],
    ['mnist:4:5', /NAME:COUNT/],
    ['mnist:0', /mnist:0 is an empty proxy set/],
    ['mnits:400', /no data set "mnits"/],
  ])('should refuse %s', (text, says) => {
    expect(() => parseProxy(text)).toThrow(says)
  })
})

describe('parseNormalisation', () => {
  it('should read one pair, or the means of all channels and then their deviations', () => {
    expect(parseNormalisation('0.1307,0.3081')).toEqual({ mean: [0.1307], std: [0.3081] })
    expect(parseNormalisation('0,1,2,3,4,5')).toEqual({ mean: [0, 1, 2], std: [3, 4, 5] })
  })

  it.each(['', '0.5', '0.5,0', '0.5,-1', '0,1,2', 'a,b', '0.5,,0.5,1'])(
    'should refuse "%s"',
    (text) => {
      expect(() => parseNormalisation(text)).toThrow(/MEAN,STD.*GRAFT_OPTION_INVALID/)
    },
  )
})

describe('loadFitted', () => {
  it('should let a network read images flat', async () => {
    const flat = await loadFitted('mnist', { ...SHAPE, inputShape: [784] }, undefined)
    const { train } = await loadFitted('mnist', SHAPE, undefined)
    expect(flat.train.inputShape).toEqual([784])
    expect(flat.train.inputs([5])).toEqual(train.inputs([5]))
  })

  it('should refuse other shapes, classes and channels', async () => {
    const load = (shape: typeof SHAPE, numbers = 2) =>
      loadFitted('mnist', shape, parseNormalisation(Array(numbers).fill('1').join(',')))
    await expect(load({ ...SHAPE, inputShape: [14, 14, 4] })).rejects.toThrow(/\[14,14,4\]/)
    await expect(load({ ...SHAPE, inputShape: [785] })).rejects.toThrow(/\[785\]/)
    await expect(load({ ...SHAPE, numClasses: 5 })).rejects.toThrow(/5 classes apart.*has 10/)
    await expect(load(SHAPE, 6)).rejects.toThrow(/3 means.*1 channels/)
  })
})

describe('drawProxy', () => {
  it('should draw a balanced set from the training split, the same for a seed', async () => {
    const { train } = await loadFitted('mnist', SHAPE, undefined)
    const draw = (seed: string) =>
      drawProxy(train, { dataset: 'mnist', count: 45 }, createRng(seed))
    expect(countClasses(draw('a')).every((count) => count === 4 || count === 5)).toBe(true)
    expect(draw('a').inputs([0])).toEqual(draw('a').inputs([0]))
    expect(draw('b').inputs([0])).not.toEqual(draw('a').inputs([0]))
  })
})
