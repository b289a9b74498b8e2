import { describe, expect, it } from 'vitest'
import { planRun } from '../../../../server/coordinator/run-plan.ts'
import { countClasses } from '../../../../shared/data/subset.ts'
import { TOY_DATASET, TOY_SETTINGS, toyWeights } from '../../../support/toy-run.ts'

describe('planRun', () => {
  it('should hold out a fifth of the proxy set and judge by the test split', () => {
    const { proxy, test, network } = planRun(TOY_SETTINGS, TOY_DATASET, null)
    expect([proxy.train.labels.length, proxy.heldOut.labels.length]).toEqual([64, 16])
    expect(countClasses(proxy.heldOut)).toEqual([4, 4, 4, 4])
    expect(test).toBe(TOY_DATASET.test)
    expect(network.name).toBe('mlp:6-12-4')
  })

  it('should start from an untrained network that the seed decides', () => {
    const plan = planRun(TOY_SETTINGS, TOY_DATASET, null)
    expect(plan.initial).toBe(plan.untrained)
    expect(planRun(TOY_SETTINGS, TOY_DATASET, null).initial).toEqual(plan.initial)
    expect(planRun({ ...TOY_SETTINGS, seed: 8 }, TOY_DATASET, null).initial).not.toEqual(
      plan.initial,
    )
  })

  it('should start from the model given, and still know the untrained one', () => {
    const given = toyWeights('given')
    const plan = planRun(TOY_SETTINGS, TOY_DATASET, given)
    expect(plan.initial).toBe(given)
    expect(plan.untrained).toEqual(planRun(TOY_SETTINGS, TOY_DATASET, null).untrained)
  })

  it.each([
    ['GRAFT_ARCHITECTURE_INVALID', { model: 'mlp:7-4' }],
    ['GRAFT_STRATEGY_UNKNOWN', { strategy: 'average' }],
    ['GRAFT_PARTITION_INVALID', { proxy: 1000 }],
    ['GRAFT_OPTION_INVALID', { partition: 'thirds' }],
    ['GRAFT_OPTION_INVALID', { proxy: 1 }],
    ['GRAFT_OPTION_INVALID', { labelNoise: '0.2@2' }],
    ['GRAFT_OPTION_INVALID', { featureSkew: 'blur:1' }],
  ])('should refuse with %s the settings %j', (code, changes) => {
    const plan = () => planRun({ ...TOY_SETTINGS, ...changes }, TOY_DATASET, null)
    expect(plan).toThrow(expect.objectContaining({ code }))
  })

  it('should refuse to run what is there for comparison, naming what can be run', () => {
    const plan = () => planRun({ ...TOY_SETTINGS, strategy: 'ensemble' }, TOY_DATASET, null)
    expect(plan).toThrow(
      /every run measures it .* fedavg, nt, .*, git-rebasin, .*, auto\. .*STRATEGY_UNKNOWN/,
    )
  })

  it('should refuse an optimiser that the strategy cannot reckon with, saying which to take', () => {
    const plan = (optimizer: 'adam' | 'sgd' | 'plain-sgd') =>
      planRun(
        {
          ...TOY_SETTINGS,
          strategy: 'scaffold',
          training: { ...TOY_SETTINGS.training, optimizer },
        },
        TOY_DATASET,
        null,
      )
    for (const optimizer of ['adam', 'sgd'] as const) {
      expect(() => plan(optimizer)).toThrow(
        new RegExp(
          `^scaffold .* would train with ${optimizer}: add --optimizer plain-sgd .*OPTION_INVALID`,
        ),
      )
    }
    expect(plan('plain-sgd').strategy.strategy.name).toBe('scaffold')
  })

  it('should refuse a model of another shape, or one that is not finite', () => {
    const [kernel, ...others] = toyWeights('given')
    expect(() => planRun(TOY_SETTINGS, TOY_DATASET, others)).toThrow('GRAFT_SHAPE_MISMATCH')
    const data = kernel!.data.map((value, i) => (i === 5 ? Infinity : value))
    const infinite = [{ ...kernel!, data }, ...others]
    expect(() => planRun(TOY_SETTINGS, TOY_DATASET, infinite)).toThrow('fc1.kernel[5] is Infinity')
  })
})
