import { describe, expect, it } from 'vitest'
import { fuseParents } from '../../../../server/fusion/fuse-parents.ts'
import { parentShares } from '../../../../server/fusion/ledger.ts'
import { STRATEGIES } from '../../../../server/fusion/strategies.ts'
import type { Fusion, Strategy, StrategyState } from '../../../../server/fusion/strategy.ts'
import type { Weights } from '../../../../shared/model/weights.ts'
import { createRng } from '../../../../shared/numeric/rng.ts'
import { expectWithin } from '../../../support/expect-within.ts'
import {
  convGraph,
  copyOf,
  fusionOf,
  parentOf,
  randomWeights,
  startOf,
} from '../../../support/plain-networks.ts'

/** With batch normalisation, whose moving statistics are averaged. */
const GRAPH = convGraph([1, 3, 2], 4)
const STATISTICS = /moving/
const NUM_EXAMPLES = [10, 30]
const ROUNDS = 4

describe.each([
  {
    strategy: STRATEGIES.fedavgm,
    options: { beta: '0.7' },
    step: (delta: number, kept: number[]) => {
      kept[0] = 0.7 * (kept[0] ?? 0) + delta
      return kept[0]
    },
  },
  {
    strategy: STRATEGIES.fedadam,
    options: { rate: '0.1', beta1: '0.5', beta2: '0.9', tau: '1e-2' },
    step: (delta: number, kept: number[]) => {
      kept[0] = 0.5 * (kept[0] ?? 0) + 0.5 * delta
      kept[1] = 0.9 * (kept[1] ?? 1e-4) + 0.1 * delta ** 2
      return (0.1 * kept[0]) / (Math.sqrt(kept[1]) + 1e-2)
    },
  },
])('$strategy.name', ({ strategy, options, step }) => {
  it('should do what its paper says over several rounds, in float64', async () => {
    let global: Weights = randomWeights(GRAPH, createRng('global'))
    const expected = global.map(({ data }) => Float64Array.from(data))
    const kept = expected.map((data) => Array.from(data, (): number[] => []))
    let state: StrategyState = {}
    for (let round = 0; round < ROUNDS; round++) {
      const fusion = await fuseRound(strategy, { options, global, state, round })
      GRAPH.weights.forEach(({ name }, w) => {
        expected[w]!.forEach((before, i) => {
          const mean = NUM_EXAMPLES.reduce(
            (sum, n, k) => sum + (n / 40) * updateOf(round, k)[w]!.data[i]!,
            0,
          )
          expected[w]![i] = STATISTICS.test(name)
            ? mean
            : before + step(mean - before, kept[w]![i]!)
        })
        expectWithin(fusion.weights[w]!.data, expected[w]!, 1e-5)
      })
      global = fusion.weights
      state = fusion.state!
    }
    const remembered = await state[Object.keys(state)[0]!]!.load()
    expect(remembered.map(({ name }) => name)).toEqual(
      GRAPH.weights.map(({ name }) => name).filter((name) => !STATISTICS.test(name)),
    )
  })

  it('should start anew without a state, and change nothing that it is given', async () => {
    const global = randomWeights(GRAPH, createRng('global'))
    const before = copyOf(global)
    const first = await fuseRound(strategy, { options, global, state: {}, round: 0 })
    const again = await fuseRound(strategy, { options, global, state: {}, round: 0 })
    expect(again.weights).toEqual(first.weights)
    const second = await fuseRound(strategy, { options, global, state: first.state!, round: 0 })
    expect(second.weights).not.toEqual(first.weights)
    expect(global).toEqual(before)
    expect(parentShares(first.ledger)).toEqual([0.25, 0.75])
  })

  it('should take a step with a single parent, too', async () => {
    const global = randomWeights(GRAPH, createRng('global'))
    const parents = [parentOf('a', updateOf(0, 0))]
    const start = startOf(global)
    const fusion = await fuseParents(strategy, { ...fusionOf(parents, GRAPH, options), start })
    expect(fusion.state).toBeDefined()
  })

  it('should refuse to fuse outside of a round', async () => {
    const parents = [parentOf('a', updateOf(0, 0)), parentOf('b', updateOf(0, 1))]
    await expect(strategy.fuse(fusionOf(parents, GRAPH, options))).rejects.toMatchObject({
      code: 'GRAFT_STRATEGY_UNKNOWN',
      problem: expect.stringContaining('finished networks have none: take fedavg'),
    })
  })
})

describe('fedavgm', () => {
  it('should be fedavg without momentum', async () => {
    const global = randomWeights(GRAPH, createRng('global'))
    const round = { global, state: {}, round: 0 }
    const { weights } = await fuseRound(STRATEGIES.fedavgm, { ...round, options: { beta: '0' } })
    const average = await fuseRound(STRATEGIES.fedavg, { ...round, options: {} })
    weights.forEach(({ data }, w) => expectWithin(data, average.weights[w]!.data, 1e-6))
  })
})

// Helpers

interface Round {
  readonly options: Readonly<Record<string, string>>
  readonly global: Weights
  readonly state: StrategyState
  readonly round: number
}

async function fuseRound(
  strategy: Strategy,
  { options, global, state, round }: Round,
): Promise<Fusion> {
  const parents = NUM_EXAMPLES.map((numExamples, k) =>
    parentOf('ab'[k]!, updateOf(round, k), { numExamples }),
  )
  const start = startOf(global, { state })
  return fuseParents(strategy, { ...fusionOf(parents, GRAPH, options), start })
}

function updateOf(round: number, client: number): Weights {
  return randomWeights(GRAPH, createRng('updates').split(`${round}/${client}`))
}
