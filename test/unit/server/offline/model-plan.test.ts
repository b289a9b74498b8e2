import { describe, expect, it } from 'vitest'
import { planModel, withWidth } from '../../../../server/offline/model-plan.ts'

const TINY = { inputShape: [32, 32, 1], numClasses: 4 }

describe('planModel', () => {
  it.each([
    ['lenet', [28, 28, 1], 10],
    ['mlp', [28, 28, 1], 10],
    ['mlp:784-20-10', [28, 28, 1], 10],
    ['mlp:3072-20-10', [32, 32, 3], 10],
    ['mlp:7-5-3', [7], 3],
    ['resnet18:8', [32, 32, 3], 10],
  ])('should take the usual shape for %s', (spec, inputShape, numClasses) => {
    expect(planModel(spec).architecture).toMatchObject({ inputShape, numClasses })
  })

  it('should take the data’s shape when there is data', () => {
    expect(planModel('vgg11:8', TINY).architecture).toMatchObject(TINY)
    expect(() => planModel('mlp:784-8-10', TINY)).toThrow(/GRAFT_ARCHITECTURE_INVALID/)
  })

  it('should take a path for a folder only when it is one', () => {
    expect(planModel('here/').architecture).toBe(null)
    expect(() => planModel('here')).toThrow(/no model "here"/)
  })
})

describe('withWidth', () => {
  it.each([
    ['mlp:784-20-30-10', 'mlp:784-9-9-10'],
    ['vgg11', 'vgg11:9'],
    ['vgg11-bn:16', 'vgg11-bn:9'],
    ['resnet18:16', 'resnet18:9'],
    ['vit', 'vit:9x6'],
    ['vit:64x2', 'vit:9x2'],
  ])('should give %s the width', (spec, expected) => {
    expect(withWidth(planModel(spec), 9).name).toBe(expected)
  })

  it('should refuse a network without a width', () => {
    expect(() => withWidth(planModel('lenet'), 9)).toThrow(/lenet.*GRAFT_OPTION_INVALID/)
    expect(() => withWidth(planModel('here/'), 9)).toThrow(/here.*GRAFT_OPTION_INVALID/)
  })
})
