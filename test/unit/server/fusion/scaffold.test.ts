import { beforeAll, describe, expect, it } from 'vitest'
import { fuseParents } from '../../../../server/fusion/fuse-parents.ts'
import { parentShares } from '../../../../server/fusion/ledger.ts'
import { scaffold } from '../../../../server/fusion/scaffold.ts'
import type { StrategyState } from '../../../../server/fusion/strategy.ts'
import { buildModel } from '../../../../shared/model/build-model.ts'
import { initialWeights } from '../../../../shared/model/initial-weights.ts'
import { readWeights, type Weights, writeWeights } from '../../../../shared/model/weights.ts'
import { createRng } from '../../../../shared/numeric/rng.ts'
import { countSteps } from '../../../../shared/training/count-steps.ts'
import { fit } from '../../../../shared/training/fit.ts'
import { blobExamples } from '../../../support/array-examples.ts'
import { startTestEngine } from '../../../support/engine.ts'
import { expectWithin } from '../../../support/expect-within.ts'
import {
  convGraph,
  fusionOf,
  graphOf,
  parentOf,
  randomWeights,
  startOf,
} from '../../../support/plain-networks.ts'
import {
  batchesOf,
  regressionGradient,
  softmaxRegression,
} from '../../../support/softmax-regression.ts'

const SHAPE = { inputShape: [4], numClasses: 3 }
const NETWORK = softmaxRegression(SHAPE)
const TRAINING = { epochs: 2, batchSize: 8, learningRate: 0.1 } as const
/** Of sizes that make other numbers of steps, the last one of an epoch smaller. */
const EXAMPLES = {
  a: blobExamples(SHAPE, 20, 'a'),
  b: blobExamples(SHAPE, 33, 'b'),
  c: blobExamples(SHAPE, 12, 'c'),
} as const
type Client = keyof typeof EXAMPLES
/** Who is in a round; c comes late, and others miss one. */
const ROUNDS: readonly (readonly Client[])[] = [
  ['a', 'b'],
  ['b', 'c'],
  ['a', 'c'],
  ['a', 'b', 'c'],
]

beforeAll(startTestEngine)

describe('scaffold', () => {
  it.each(['1', '0.5'])(
    'should do what Algorithm 1 says over several rounds with rate %s, in float64',
    async (rate) => {
      const expected = reference({ numClients: 4, rate: Number(rate) })
      let global: Weights = initialWeights(NETWORK, createRng('global'))
      let state: StrategyState = {}
      for (const [round, clients] of ROUNDS.entries()) {
        ;({ global, state } = await conductRound(clients, {
          ...{ round, global, state, rate },
          numClients: 4,
        }))
        const now = expected[round]!
        expectWithin(flat(global), now.x, 1e-5)
        expectWithin(flat(await state['control']!.load()), now.c, 1e-5)
        for (const client of clients) {
          expectWithin(flat(await state[`control/${client}`]!.load()), now.own[client]!, 1e-5)
        }
      }
      // What nobody would notice, no test would guard: without correction the model is another.
      const without = reference({ numClients: 4, rate: Number(rate), isCorrected: false })
      const away = without.at(-1)!.x.map((value, i) => Math.abs(value - expected.at(-1)!.x[i]!))
      expect(Math.max(...away)).toBeGreaterThan(1e-3)
    },
  )

  it('should keep c the mean of all c_i when more clients come than the run is for', async () => {
    let global: Weights = initialWeights(NETWORK, createRng('global'))
    let state: StrategyState = {}
    for (const [round, clients] of ROUNDS.entries()) {
      const given = { round, global, state, rate: '1', numClients: 2 }
      ;({ global, state } = await conductRound(clients, given))
    }
    const own = await Promise.all(['a', 'b', 'c'].map((id) => state[`control/${id}`]!.load()))
    const mean = flat(own[0]!).map((_, i) =>
      own.reduce((sum, weights) => sum + flat(weights)[i]! / own.length, 0),
    )
    expectWithin(flat(await state['control']!.load()), mean, 1e-6)
  })

  it('should average what no gradient trains, with a client counting as much as another', async () => {
    const graph = convGraph([1, 3, 2], 4)
    const [a, b] = ['a', 'b'].map((seed) => randomWeights(graph, createRng(seed)))
    const parents = [parentOf('a', a!, { numExamples: 10 }), parentOf('b', b!, { numExamples: 30 })]
    const start = startOf(randomWeights(graph, createRng('global')))
    const input = { ...fusionOf(parents, graph, { rate: '0.5' }), start }
    const { weights, ledger, state } = await fuseParents(scaffold, input)
    expect(parentShares(ledger)).toEqual([0.5, 0.5])
    const names = graph.weights.map(({ name }) => name)
    const isMoving = (name: string) => name.includes('moving')
    expect(names.some(isMoving)).toBe(true)
    names.forEach((name, w) => {
      if (!isMoving(name)) return
      const means = Array.from(a![w]!.data, (value, i) => (value + b![w]!.data[i]!) / 2)
      expectWithin(weights[w]!.data, means, 1e-6)
    })
    for (const part of Object.values(state!)) {
      expect((await part.load()).map(({ name }) => name)).toEqual(
        names.filter((name) => !isMoving(name)),
      )
    }
  })

  it('should refuse to fuse outside of a round', async () => {
    const graph = graphOf(NETWORK)
    const parents = [parentOf('a', randomWeights(graph, createRng('a')))]
    await expect(scaffold.fuse(fusionOf(parents, graph))).rejects.toMatchObject({
      code: 'GRAFT_STRATEGY_UNKNOWN',
      problem: expect.stringContaining('finished networks have none: take fedavg'),
    })
  })
})

// Helpers

interface Round {
  readonly round: number
  readonly global: Weights
  readonly state: StrategyState
  readonly rate: string
  readonly numClients: number
}

/** Trains the clients as they are asked to, and fuses them. */
async function conductRound(
  clients: readonly Client[],
  { round, global, state, rate, numClients }: Round,
): Promise<{ global: Weights; state: StrategyState }> {
  const parents = []
  for (const client of clients) {
    const { correction } = scaffold.clientTraining!({ rate }, client)
    const [add, subtract] = [
      await state[correction!.add]?.load(),
      await state[correction!.subtract]?.load(),
    ]
    const model = buildModel(NETWORK, createRng('overwritten'))
    writeWeights(model, global)
    await fit(model, EXAMPLES[client], {
      ...TRAINING,
      optimizer: 'plain-sgd',
      ...(add && { correction: { add, subtract } }),
      rng: orderOf(client, round),
    })
    const numExamples = EXAMPLES[client].labels.length
    parents.push(parentOf(client, await readWeights(model), { numExamples }))
    model.dispose()
  }
  const start = startOf(global, {
    ...{ state, numClients },
    training: {
      learningRate: TRAINING.learningRate,
      countSteps: (numExamples) => countSteps(numExamples, TRAINING),
    },
  })
  const fusion = await fuseParents(scaffold, {
    ...fusionOf(parents, graphOf(NETWORK), { rate }),
    start,
  })
  return { global: fusion.weights, state: { ...state, ...fusion.state } }
}

function orderOf(client: Client, round: number) {
  return createRng(`order of ${client} in ${round}`)
}

interface Reference {
  readonly x: readonly number[]
  readonly c: readonly number[]
  readonly own: Readonly<Partial<Record<Client, readonly number[]>>>
}

/** Algorithm 1 with option II as it stands, by clients that remember c_i and send what changed. */
function reference({
  numClients,
  rate,
  isCorrected = true,
}: {
  numClients: number
  rate: number
  isCorrected?: boolean
}): Reference[] {
  const lr = TRAINING.learningRate
  let x = flat(initialWeights(NETWORK, createRng('global')))
  let c = x.map(() => 0)
  const remembered = new Map<Client, number[]>()
  return ROUNDS.map((clients, round) => {
    const changes = clients.map((client) => {
      const own = remembered.get(client) ?? x.map(() => 0)
      let y = x
      let steps = 0
      const size = EXAMPLES[client].labels.length
      for (const batch of batchesOf(size, { ...TRAINING, rng: orderOf(client, round) })) {
        const g = regressionGradient(split(y), EXAMPLES[client], batch).flatMap((of) => [...of])
        y = y.map((value, i) => value - lr * (g[i]! + (isCorrected ? c[i]! - own[i]! : 0)))
        steps++
      }
      const next = own.map((value, i) => value - c[i]! + (x[i]! - y[i]!) / (steps * lr))
      remembered.set(client, next)
      return {
        y: y.map((value, i) => value - x[i]!),
        c: next.map((value, i) => value - own[i]!),
      }
    })
    const mean = (of: 'y' | 'c', i: number) =>
      changes.reduce((sum, change) => sum + change[of][i]!, 0) / changes.length
    x = x.map((value, i) => value + rate * mean('y', i))
    c = c.map((value, i) => value + (clients.length / numClients) * mean('c', i))
    return { x, c, own: Object.fromEntries(remembered) }
  })
}

/** Kernel and bias one after the other. */
function flat(weights: Weights): number[] {
  return weights.flatMap(({ data }) => [...data])
}

function split(values: readonly number[]): Float64Array[] {
  return [Float64Array.from(values.slice(0, 12)), Float64Array.from(values.slice(12))]
}
