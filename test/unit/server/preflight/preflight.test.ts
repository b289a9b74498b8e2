import { beforeAll, describe, expect, it } from 'vitest'
import { planRun } from '../../../../server/coordinator/run-plan.ts'
import { calibrate } from '../../../../server/preflight/calibrate.ts'
import { measureCapacity } from '../../../../server/preflight/capacity.ts'
import { predictDisk, predictTraffic } from '../../../../server/preflight/predict-bytes.ts'
import { predictMemory } from '../../../../server/preflight/predict-memory.ts'
import { predictTime } from '../../../../server/preflight/predict-time.ts'
import { misfitOf, preflight } from '../../../../server/preflight/preflight.ts'
import { factsOf, type RunFacts } from '../../../../server/preflight/run-facts.ts'
import type { RunSettings } from '../../../../shared/protocol/run-settings.ts'
import { encodeProxySet } from '../../../../shared/protocol/proxy-set.ts'
import { startTestEngine } from '../../../support/engine.ts'
import { expectNoLeakAsync } from '../../../support/expect-no-leak.ts'
import { createTemporaryFolder } from '../../../support/temporary-folder.ts'
import { TOY_DATASET, TOY_SETTINGS, toyUpdate, toyWeights } from '../../../support/toy-run.ts'

beforeAll(startTestEngine)

const MIB = 2 ** 20

describe('factsOf', () => {
  it('should know the size of an update to a few bytes of its header, and that of a model', () => {
    const facts = toyFacts({})
    const { length } = toyUpdate('any').bytes
    expect(facts.update).toBeGreaterThanOrEqual(length)
    expect(facts.update - length).toBeLessThan(64)
    expect(facts.model).toBe(toyWeights('any').reduce((sum, { data }) => sum + data.byteLength, 0))
    expect(facts).toMatchObject({ strategy: 'nt', neurons: 12, numTest: 80, proxyFile: 0 })
    // 240 less 80 of the proxy set, dealt to two.
    expect(facts.numExamples).toBe(80)
    expect(toyFacts({ examplesPerClient: 30 }).numExamples).toBe(30)
    expect(toyFacts({ rehearse: true }).proxyFile).toBe(
      encodeProxySet(planOf({ rehearse: true }).proxy.train).length,
    )
  })
})

describe('predictTraffic', () => {
  it('should count what each client sends and pulls, of all rounds', () => {
    const facts = toyFacts({ clients: 4, rounds: 3, rehearse: true })
    expect(predictTraffic(facts)).toEqual({
      up: facts.update,
      down: facts.model,
      allUp: 12 * facts.update,
      // The first model and the proxy set, and then what each round publishes.
      allDown: 4 * (4 * facts.model + facts.proxyFile),
    })
  })
})

describe('an encoding', () => {
  it('should make what travels smaller, and be stored beside the models', () => {
    const [plain, halves] = [toyFacts({}), toyFacts({ encoding: 'float16' })]
    expect(plain.sent).toBe(plain.model)
    expect(halves.model).toBe(plain.model)
    // Biases stay in float32.
    expect(halves.sent).toBeLessThan(0.6 * plain.sent)
    expect(predictTraffic(halves).up).toBeLessThan(predictTraffic(plain).up)
    expect(predictTraffic(halves).down).toBe(halves.sent)
    const kept = { rounds: 2, isEmbedded: true }
    const stored =
      predictDisk(halves, kept) - predictDisk({ ...plain, update: halves.update }, kept)
    expect(stored).toBe((halves.settings.rounds + 1) * halves.sent)
  })
})

describe('predictDisk', () => {
  it('should grow with the rounds whose updates are kept, and no further', () => {
    const facts = { ...toyFacts({ clients: 10, rounds: 20 }), update: 50 * MIB }
    const kept = [0, 2, 19, Infinity].map((rounds) =>
      predictDisk(facts, { rounds, isEmbedded: true }),
    )
    // A database of its own is on another disk.
    expect(predictDisk(facts, { rounds: 2, isEmbedded: false })).toBeLessThan(kept[1]! - 40e6)
    const ofRound = 10 * facts.update
    expect(kept[1]! - kept[0]!).toBe(2 * ofRound)
    expect(kept[2]! - kept[0]!).toBe(19 * ofRound)
    expect(kept[3]).toBe(kept[2])
  })
})

describe('predictMemory', () => {
  it('should hold all parents of some strategies, and one at a time of the others', () => {
    const grows = (strategy: string) => {
      const of = (clients: number) =>
        predictMemory({ ...toyFacts({ strategy, clients, quorum: 2 }), model: 100 * MIB }, 0)
          .coordinator
      return (of(12) - of(10)) / (2 * 100 * MIB)
    }
    expect(grows('fedavg')).toBeLessThan(0.1)
    expect(grows('nt')).toBeLessThan(0.1)
    // Of a network that is much larger than a block, controls take most of it: several whole networks.
    const tune = { ...TOY_SETTINGS.tune, mode: 'none' } as const
    const large = (controls: 'last' | 'none') =>
      predictMemory({ ...toyFacts({ strategy: 'fedavg', tune, controls }), model: 1000 * MIB }, 0)
        .coordinator
    expect(large('none')).toBeLessThan(1300 * MIB)
    expect(large('last')).toBeGreaterThan(6000 * MIB)
    // The slices that are held have a limit.
    expect(grows('median')).toBeLessThan(0.1)
    expect(grows('kf-linear')).toBeCloseTo(1, 1)
    expect(grows('otfusion')).toBeCloseTo(1, 1)
  })
})

describe('predictMemory of what was measured', () => {
  // ARCHITECTURE.md has the commands; idle and peak of the coordinator, MiB.
  it.each([
    ['fedavg', 2, 954, 1, { idle: 527, peak: 1616 }],
    ['fedavg', 2, 381, 1, { idle: 530, peak: 997 }],
    ['fedavg', 4, 91, 1, { idle: 518, peak: 781 }],
    ['fedavg', 200, 0.21, 1, { idle: 519, peak: 668 }],
    ['fedavg', 1000, 0.21, 1, { idle: 459, peak: 769 }],
    ['kf-linear', 5, 3.6, 512, { idle: 836, peak: 1263 }],
    ['nt', 5, 3.6, 512, { idle: 836, peak: 959 }],
  ])(
    'should come within a fifth of what %s of %i clients took',
    (strategy, clients, size, ...of) => {
      const [width, { idle, peak }] = of
      const tune = { ...TOY_SETTINGS.tune, mode: 'none' }
      const controls = strategy === 'fedavg' ? 'none' : 'each'
      const changes = { strategy, clients, tune, controls }
      const sizes = { model: size * MIB, update: size * MIB, width }
      const facts = { ...toyFactsOfMany(changes as Parameters<typeof toyFactsOfMany>[0]), ...sizes }
      const services = 40 * MIB
      const predicted = predictMemory(facts, idle * MIB - services).coordinator / MIB
      expect(predicted / peak).toBeGreaterThan(0.8)
      expect(predicted / peak).toBeLessThan(1.2)
    },
  )
})

describe('predictTime', () => {
  const measured = {
    ...{ step: 1, tuneStep: 10, example: 0, scored: 0 },
    ...{ fusion: 6, comparison: 0, parents: 2 },
  }

  it('should count steps, and leave between least and most what the data decide', () => {
    const facts = { ...toyFacts({ clients: 2, rounds: 3 }), numTest: 0 }
    // 80 examples in batches of 32 for an epoch; 64 of the proxy set in two steps, two epochs by labels.
    const { client, fuse, tune, run } = predictTime(facts, measured, null)
    expect(client).toEqual({ least: 3, most: 3 })
    expect(fuse).toEqual({ least: 6, most: 6 })
    expect(tune).toEqual({ least: 40, most: 40 })
    // Tuned: the model, the average and the best parent, and at most a network that sees the proxy set alone.
    expect(run).toEqual({ least: 3 * (3 + 6 + 3 * 40), most: 3 * (3 + 6 + 4 * 40) })
  })

  it('should let clients of one machine share its cores', () => {
    const facts = toyFacts({ clients: 8 })
    const [alone, together] = [predictTime(facts, measured, null), predictTime(facts, measured, 2)]
    expect(together.client).toEqual({ least: 4 * alone.client.least, most: 8 * alone.client.least })
  })

  it('should let sums grow with the clients, others as clusters may, and compare eight at most', () => {
    const fusing = (strategy: string, controls: 'each' | 'none', clients: number) =>
      predictTime(
        toyFactsOfMany({ strategy, controls, clients }),
        { ...measured, comparison: 1 },
        null,
      ).fuse
    expect(fusing('fedavg', 'none', 200)).toEqual({ least: 600, most: 600 })
    expect(fusing('fedavg', 'each', 200)).toEqual({ least: 628, most: 628 })
    expect(fusing('kf-linear', 'none', 200)).toEqual({ least: 600, most: 60_000 })
    expect(fusing('fedavg', 'each', 4)).toEqual({ least: 18, most: 18 })
  })

  it('should say that it does not know how long fusing takes', () => {
    expect(predictTime(toyFacts({}), { ...measured, fusion: null }, null).fuse).toBeNull()
  })
})

describe('calibrate', () => {
  it('should time each part and leave no tensor behind', async () => {
    await expectNoLeakAsync(async () => {
      const measured = await calibrate(planOf({ strategy: 'kf-linear' }), 10)
      for (const value of Object.values(measured)) expect(value).toBeGreaterThan(0)
    })
  })

  it('should not compare parents that no round compares', async () => {
    expect(await calibrate(planOf({ controls: 'none' }), 10)).toMatchObject({ comparison: 0 })
  })

  it('should not wait longer than its patience', async () => {
    const slow = planOf({ strategy: 'kf-gradient', model: 'mlp:6-512-512-4' })
    const { fusion, step } = await calibrate(slow, 0.001)
    expect(fusion).toBeNull()
    expect(step).toBeGreaterThan(0)
  })
})

describe('preflight', () => {
  const room = { memory: 1000 * MIB, disk: 1e9, stored: 0 }

  it('should name what there is too little of', () => {
    expect(misfitOf({ here: 900 * MIB, disk: 0.9e9 }, room)).toBeNull()
    expect(misfitOf({ here: 1100 * MIB, disk: 2e9 }, room)).toBe(
      'The run takes about 1100 MiB of memory, and there are 1000 MiB; it takes about 2000 MB more of disk, and 1000 MB are free.',
    )
  })

  it('should count what lies there as done, so that a run goes on with little room', () => {
    expect(misfitOf({ here: 0, disk: 2e9 }, { ...room, stored: 1.5e9 })).toBeNull()
  })

  it('should say why a run cannot fit, and nothing of one that does', async () => {
    await using folder = await createTemporaryFolder()
    const lines: string[] = []
    const options = {
      ...{
        home: folder.path,
        shared: folder.path,
        keptRounds: 2,
        isTimed: false,
        isEmbedded: true,
      },
      // Their memory counts: no machine has room for so many.
      ...{ isOneOfMany: false, workers: 1_000_000 },
      say: (line: string) => void lines.push(line),
    }
    expect(await preflight(planOf({}), options)).toMatchObject({ code: 'GRAFT_RUN_TOO_LARGE' })
    expect(await preflight(planOf({}), { ...options, workers: 0 })).toBeNull()
    expect(lines.at(-2)).toMatch(/^Forecast, 1 x 2 clients: a client sends 1 kB a round/)
  })
})

describe('measureCapacity', () => {
  it('should look at the disk of a folder that is not there yet, and at what lies in those that are', async () => {
    await using folder = await createTemporaryFolder()
    const notYet = `${folder.path}/not/yet`
    const { memory, disk, stored } = await measureCapacity(notYet, [notYet])
    expect(memory).toBeGreaterThan(100 * MIB)
    expect(disk).toBeGreaterThan(0)
    expect(stored).toBe(0)
    const here = import.meta.dirname
    expect((await measureCapacity(here, [here])).stored).toBeGreaterThan(1000)
    expect((await measureCapacity(here, [])).stored).toBe(0)
  })
})

// Helpers

const planOf = (changes: Partial<RunSettings>) =>
  planRun({ ...TOY_SETTINGS, ...changes }, TOY_DATASET, null)

const toyFacts = (changes: Partial<RunSettings>): RunFacts => factsOf(planOf(changes))

/** Of more clients than there are examples. */
function toyFactsOfMany(changes: Partial<RunSettings> & { clients: number }): RunFacts {
  const facts = toyFacts({ ...changes, clients: 2, quorum: 2 })
  return { ...facts, settings: { ...facts.settings, clients: changes.clients } }
}
