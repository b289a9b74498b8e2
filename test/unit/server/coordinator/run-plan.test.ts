import { collect } from '../../../../shared/model/weight-stream.ts'
import { describe, expect, it } from 'vitest'
import { planRun } from '../../../../server/coordinator/run-plan.ts'
import { countClasses } from '../../../../shared/data/subset.ts'
import { RunData } from '../../../../shared/protocol/run-data.ts'
import { TOY_DATASET, TOY_SETTINGS, toyWeights } from '../../../support/toy-run.ts'

/** What a run says of {@link TOY_DATASET} when it is a coordinator's own. */
const TOY_DATA = RunData.parse({
  inputShape: [6],
  numClasses: 4,
  normalisation: { mean: Array(6).fill(0), std: Array(6).fill(1) },
  sha256: '0'.repeat(64),
})

describe('planRun', () => {
  it('should hold out a fifth of the proxy set and judge by the test split', () => {
    const { proxy, test, network } = planRun(TOY_SETTINGS, TOY_DATASET, null)
    expect([proxy.train.labels.length, proxy.heldOut.labels.length]).toEqual([64, 16])
    expect(countClasses(proxy.heldOut)).toEqual([4, 4, 4, 4])
    expect(test).toBe(TOY_DATASET.test)
    expect(network.name).toBe('mlp:6-12-4')
  })

  it('should start from an untrained network that the seed decides', async () => {
    const initialOf = (seed: number) =>
      collect(planRun({ ...TOY_SETTINGS, seed }, TOY_DATASET, null).initial())
    const plan = planRun(TOY_SETTINGS, TOY_DATASET, null)
    expect(await collect(plan.initial())).toEqual(plan.untrained())
    expect(await initialOf(TOY_SETTINGS.seed)).toEqual(plan.untrained())
    expect(await initialOf(8)).not.toEqual(plan.untrained())
  })

  it('should start from the model given, and still know the untrained one', async () => {
    const given = toyWeights('given')
    const plan = planRun(TOY_SETTINGS, TOY_DATASET, given)
    expect(await collect(plan.initial())).toEqual(given)
    expect(plan.untrained()).toEqual(planRun(TOY_SETTINGS, TOY_DATASET, null).untrained())
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

  it('should take all of the coordinator’s own data for the proxy set, as clients bring theirs', () => {
    const all = { ...TOY_SETTINGS, proxy: TOY_DATASET.train.labels.length }
    expect(() => planRun(all, TOY_DATASET, null)).toThrow(/0 examples are too few for 2 clients/)
    const { proxy } = planRun({ ...all, data: TOY_DATA }, TOY_DATASET, null)
    expect([proxy.train.labels.length, proxy.heldOut.labels.length]).toEqual([192, 48])
    const some = (data: object) => planRun({ ...TOY_SETTINGS, ...data }, TOY_DATASET, null).proxy
    expect(some({ data: TOY_DATA }).heldOut.inputs([0, 1])).toEqual(some({}).heldOut.inputs([0, 1]))
    const more = { ...all, proxy: all.proxy + 1, data: TOY_DATA }
    expect(() => planRun(more, TOY_DATASET, null)).toThrow(/241 examples .* drawn from 240/)
    const thirds = { ...all, partition: 'thirds', data: TOY_DATA }
    expect(() => planRun(thirds, TOY_DATASET, null)).toThrow(/partition "thirds"/)
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
