import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { fuseParents } from '../../../../server/fusion/fuse-parents.ts'
import type { Ledger } from '../../../../server/fusion/ledger.ts'
import { packLedger } from '../../../../server/fusion/pack-ledger.ts'
import { STRATEGIES } from '../../../../server/fusion/strategies.ts'
import type { BlockStrategy, Strategy, StrategyState } from '../../../../server/fusion/strategy.ts'
import {
  BLOCK_LENGTH,
  countNumbers,
  readerOf,
  type Loadable,
} from '../../../../shared/model/weight-reader.ts'
import type { Weights } from '../../../../shared/model/weights.ts'
import { createRng } from '../../../../shared/numeric/rng.ts'
import { graphOf, parentOf, randomWeights, startOf } from '../../../support/plain-networks.ts'

/** Of more weights than a block: the second kernel begins in one and ends in the next. With moving statistics. */
const GRAPH = graphOf({
  name: 'wide',
  inputShape: [600],
  numClasses: 10,
  layers: [
    { kind: 'dense', name: 'fc1', units: 1500, bias: true },
    { kind: 'batch-norm', name: 'bn1' },
    { kind: 'relu' },
    { kind: 'dense', name: 'fc2', units: 200, bias: true },
    { kind: 'relu' },
    { kind: 'dense', name: 'fc3', units: 10, bias: true },
  ],
})
const NUM_EXAMPLES = [10, 20, 30, 45]
/** Slices of all parents that `median` and its like hold: all of these networks. */
const MOST_SLICE = countNumbers(GRAPH.weights)

/**
 * SHA-256, as far as it is needed, of the model of two rounds, of its ledger and of what is remembered by name: what Graft made of
 * these parents when it held all of every network, at commit 2fbb59f.
 */
const BEFORE: Readonly<Record<string, Golden>> = {
  fedavg: { options: {}, hashes: ['9c7d57daf77a5bf5', 'ad372b2754807176'] },
  fedprox: { options: {}, hashes: ['9c7d57daf77a5bf5', 'ad372b2754807176'] },
  median: { options: {}, hashes: ['465a308d88683c7a', 'be868996629cf6d7'] },
  'trimmed-mean': { options: { beta: '0.25' }, hashes: ['465a308d88683c7a', 'be868996629cf6d7'] },
  krum: { options: { f: '0', m: '2' }, hashes: ['3a779f43efacfc92', '2ecc36e65dda1cb4'] },
  fedavgm: {
    options: {},
    hashes: ['ba6e852a2a41ba30', 'ad372b2754807176', 'momentum:17784abe77771c23'],
  },
  fedadam: {
    options: {},
    hashes: ['dfcd8f5bccbf344a', 'ad372b2754807176', 'm:23642ad3eb007fb2', 'v:561a30dcca4deb12'],
  },
  scaffold: {
    options: { rate: '0.5' },
    hashes: [
      '0367a80ae0c34f6c',
      '9a7733d2d1476e9a',
      'control:be328ae9f7beaadd',
      'control/a:8fa6f8ead4cafe44',
      'control/b:b1ad3b5bb5d9a33c',
      'control/c:612c0642791e4112',
      'control/d:3f182738dc3a957c',
    ],
  },
}

interface Golden {
  readonly options: Readonly<Record<string, string>>
  readonly hashes: readonly string[]
}

const strategies: readonly Strategy[] = Object.values(STRATEGIES)

describe.each(strategies.filter(isBlockwise))('$name', (strategy) => {
  it(
    'should make the same bytes as when it held whole networks, and read no more than it says at once',
    { timeout: 60_000 },
    async () => {
      const { options, hashes } = BEFORE[strategy.name]!
      const readAtOnce: number[] = []
      let global = drawn('global')
      let state: StrategyState = {}
      let ledger: Ledger | undefined
      for (const round of [1, 2]) {
        const start = {
          ...startOf(global, { state, numClients: 4 }),
          globalModel: watched(global, readAtOnce),
          training: { learningRate: 0.1, countSteps: (numExamples: number) => numExamples },
        }
        const parents = NUM_EXAMPLES.map((numExamples, k) => {
          const weights = drawn(`${round}/${k}`)
          const known = { ...watched(weights, readAtOnce), numExamples, widths: WIDTHS }
          return parentOf('abcd'[k]!, weights, known)
        })
        const input = { parents, graph: GRAPH, options, rng: createRng('fusion'), start }
        const fusion = await fuseParents(strategy, input)
        const made: Record<string, Loadable> = {}
        for (const [name, part] of Object.entries(fusion.state ?? {})) {
          made[name] = watched(await part.load(), readAtOnce)
        }
        global = fusion.weights
        state = { ...state, ...made }
        ledger = fusion.ledger
      }
      const parts = Object.keys(state).sort()
      const remembered = parts.map(async (name) => `${name}:${hashOf(await state[name]!.load())}`)
      const hash = createHash('sha256').update(JSON.stringify(packLedger(ledger!)))
      expect([
        hashOf(global),
        hash.digest('hex').slice(0, 16),
        ...(await Promise.all(remembered)),
      ]).toEqual(hashes)
      const isSliced = ['median', 'trimmed-mean', 'krum'].includes(strategy.name)
      expect(Math.max(...readAtOnce)).toBeLessThanOrEqual(isSliced ? MOST_SLICE : BLOCK_LENGTH)
    },
  )
})

describe('strategies that hold blocks', () => {
  it('should be those that look at one weight of all parents at a time', () => {
    expect(strategies.filter(isBlockwise).map(({ name }) => name)).toEqual(
      expect.arrayContaining(Object.keys(BEFORE)),
    )
    expect(strategies.filter(isBlockwise)).toHaveLength(Object.keys(BEFORE).length)
  })
})

// Helpers

const WIDTHS = GRAPH.groups.map(({ width }) => width)

function isBlockwise(strategy: Strategy): strategy is BlockStrategy {
  return strategy.holds === 'blocks'
}

const drawn = (seed: string): Weights => randomWeights(GRAPH, createRng(seed))

/** Weights that can only be read in parts, but by the test: how large each part was is noted. */
function watched(weights: Weights, readAtOnce: number[]): Loadable {
  const reader = readerOf(weights)
  return {
    load: async () => weights,
    open: async () => ({
      shapes: reader.shapes,
      async read(from, target) {
        readAtOnce.push(target.length)
        await reader.read(from, target)
      },
    }),
  }
}

function hashOf(weights: Weights): string {
  const hash = createHash('sha256')
  for (const { name, data } of weights) {
    hash.update(name)
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
  }
  return hash.digest('hex').slice(0, 16)
}
