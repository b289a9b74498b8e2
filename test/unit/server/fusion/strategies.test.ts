import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { fuseParents } from '../../../../server/fusion/fuse-parents.ts'
import { parentShares } from '../../../../server/fusion/ledger.ts'
import { parseStrategy, STRATEGIES } from '../../../../server/fusion/strategies.ts'
import type {
  Fusion,
  FusionInput,
  Parent,
  RoundStart,
  Strategy,
} from '../../../../server/fusion/strategy.ts'
import { RUN_OPTIONS } from '../../../../shared/command/run-options.ts'
import type { NeuronGraph } from '../../../../shared/model/neuron-graph.ts'
import { createRng } from '../../../../shared/numeric/rng.ts'
import { blobExamples } from '../../../support/array-examples.ts'
import { startTestEngine } from '../../../support/engine.ts'
import { expectNoLeakAsync } from '../../../support/expect-no-leak.ts'
import {
  convGraph,
  copyOf,
  denseGraph,
  fusionOf,
  parentOf,
  randomParents,
  randomWeights,
  startOf,
} from '../../../support/plain-networks.ts'

beforeAll(async () => {
  await startTestEngine()
})

describe('parseStrategy', () => {
  it('should fill the options that are not given with their defaults', () => {
    const { strategy, options } = parseStrategy('nt:tree=joint:variant=prune-merge')
    expect(strategy).toBe(STRATEGIES.nt)
    expect(options).toEqual({
      variant: 'prune-merge',
      tree: 'joint',
      importance: 'l2',
      order: 'upfront',
      head: 'shares',
    })
    expect(parseStrategy('fedavg').options).toEqual({})
  })

  it.each([
    ['', 'no strategy "", only fedavg, nt'],
    ['toString', 'no strategy "toString"'],
    ['nt:tree=binary', 'tree=hierarchical|joint|iterative'],
    ['nt:depth=3', 'variant=merge-prune|prune-merge'],
    ['nt:constructor=1', 'has no option constructor=1'],
    ['fedavg:tree=joint', 'it has none'],
    ['nt:tree', '"tree" is no option of nt'],
    ['nt:tree=joint=joint', 'is no option of nt'],
    ['nt:', '"" is no option of nt'],
    ['nt:tree=joint:tree=joint', 'tree twice'],
  ])('should refuse %j and name what is allowed', (spec, problem) => {
    expect(() => parseStrategy(spec)).toThrow(
      expect.objectContaining({
        code: 'GRAFT_STRATEGY_UNKNOWN',
        problem: expect.stringContaining(problem),
      }),
    )
  })
})

const GRAPH = denseGraph([3, 6, 4, 2])
const CONV = convGraph([2, 5, 3], 4)
const STRATEGY_LIST = Object.entries<Strategy>(STRATEGIES)
const RUNNABLE = STRATEGY_LIST.filter(([, { isComparison }]) => isComparison !== true)

describe('--strategy', () => {
  it('should name in its help every strategy that can be run, and no other', () => {
    const [named = ''] = RUN_OPTIONS.strategy.description!.split(';')
    expect(named.split(/, | or /)).toEqual(RUNNABLE.map(([name]) => name))
  })
})

describe('every strategy', () => {
  it.each(STRATEGY_LIST)('should be registered under its own name: %s', (name, strategy) => {
    expect(strategy.name).toBe(name)
    expect(strategy.summary).not.toBe('')
    expect(strategy.paper).toMatch(/^arXiv \d{4}\.\d{5}/)
  })
})

describe.each(RUNNABLE)('every strategy that can be run: %s', (name, strategy) => {
  /** Parents that it takes at most, up to 5. */
  const most = name === 'hf-linear' ? 2 : 5
  /** Parents that it takes at least, when there is more than one. */
  const few = FEWEST[name] ?? 2
  const fuse = (parents: readonly Parent[], graph = GRAPH, more: Partial<FusionInput> = {}) => {
    const given = { ...fusionOf(parents, graph), ...quickly(name), proxy: PROXY }
    return fuseParents(strategy, { ...given, start: someStart(graph), ...more }).then(loaded)
  }

  it.skipIf(strategy.isStateful).each([GRAPH, CONV])(
    'should give the one parent back',
    async (graph) => {
      const [parent] = randomParents(graph, 1)
      const { weights, ledger, reason } = await fuse([parent!], graph)
      expect(weights).toEqual(await parent!.load())
      expect(parentShares(ledger)).toEqual([1])
      expect(reason).toContain('one parent')
    },
  )

  it('should keep names, order and shapes', async () => {
    const { weights } = await fuse(randomParents(GRAPH, most))
    expect(weights.map(({ name, shape }) => ({ name, shape }))).toEqual(GRAPH.weights)
    expect(weights.every(({ data }) => data instanceof Float32Array)).toBe(true)
    expect(weights.every(({ data }) => data.every(Number.isFinite))).toBe(true)
  })

  it('should account for every neuron', async () => {
    const { ledger } = await fuse(randomParents(GRAPH, most))
    expect(ledger.parents).toEqual(['a', 'b', 'c', 'd', 'e'].slice(0, most))
    expect(ledger.groups.map(({ name }) => name)).toEqual(['fc1', 'fc2'])
    expect(ledger.groups.map(({ neurons }) => neurons.length)).toEqual([6, 4])
    for (const made of ledger.groups.flatMap(({ neurons }) => neurons)) {
      expect(made.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 12)
      for (const { share } of made) expect(share).toBeGreaterThan(0)
    }
  })

  it('should take the scores that were sent, also those of no importance', async () => {
    const parents = randomParents(GRAPH, few).map((parent) => ({
      ...parent,
      scores: GRAPH.groups.map(({ width }) =>
        Float32Array.from({ length: width }, (_, neuron) => (neuron === 1 ? 0 : neuron + 1)),
      ),
    }))
    const { weights, ledger } = await fuse(parents)
    expect(weights.every(({ data }) => data.every(Number.isFinite))).toBe(true)
    for (const made of ledger.groups.flatMap(({ neurons }) => neurons)) {
      expect(made.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 12)
      for (const { score } of made) expect(score === null || Number.isFinite(score)).toBe(true)
    }
  })

  it('should give the same bytes whoever uploads first', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: few, max: most }), fc.string(), async (count, seed) => {
        const parents = randomParents(GRAPH, count, seed)
        expect(await fuse(createRng(seed).shuffle(parents))).toEqual(await fuse(parents))
      }),
      { numRuns: name === 'kf-gradient' || name === 'feddf' ? 3 : 10 },
    )
  })

  it('should not change what a parent loads, nor hand it out', async () => {
    const parents = randomParents(GRAPH, most)
    const loaded = await Promise.all(parents.map((parent) => parent.load()))
    const before = loaded.map(copyOf)
    const lending = parents.map((parent, k) => ({ ...parent, load: async () => loaded[k]! }))
    const { weights } = await fuse(lending)
    weights.forEach(({ data }) => data.fill(7))
    expect(loaded).toEqual(before)
  })

  it('should leave no tensor behind', async () => {
    await expectNoLeakAsync(() => fuse(randomParents(GRAPH, few)))
  })

  it('should name the parent whose shapes do not fit', async () => {
    const [first, second] = randomParents(GRAPH, 2)
    const [, other] = randomParents(denseGraph([5, 6, 4, 2]), 2)
    await expect(fuse([first!, { ...second!, load: () => other!.load() }])).rejects.toMatchObject({
      code: 'GRAFT_SHAPE_MISMATCH',
      problem: expect.stringMatching(/^Parent b has fc1.kernel \[5,6\]/),
    })
    await expect(
      fuse([{ ...first!, load: async () => (await first!.load()).slice(1) }]),
    ).rejects.toMatchObject({
      code: 'GRAFT_SHAPE_MISMATCH',
      problem: 'Parent a lacks the weight fc1.kernel.',
    })
    const [conv] = randomParents(CONV, 1)
    await expect(fuse([first!, { ...second!, load: () => conv!.load() }])).rejects.toMatchObject({
      code: 'GRAFT_SHAPE_MISMATCH',
      problem: 'Parent b has a weight conv1.kernel that no layer has.',
    })
    await expect(fuse([])).rejects.toMatchObject({ code: 'GRAFT_OPTION_INVALID' })
  })

  it('should refuse a parent of other classes', async () => {
    const [first] = randomParents(GRAPH, 1)
    const three = parentOf('b', randomWeights(denseGraph([3, 6, 4, 3]), createRng('3')), {
      classCounts: [5, 5],
    })
    await expect(fuse([first!, three])).rejects.toMatchObject({ code: 'GRAFT_SHAPE_MISMATCH' })
  })

  it.each([NaN, Infinity])('should name the parent and the weight that is %d', async (odd) => {
    const [first, second] = randomParents(GRAPH, 2)
    const weights = copyOf(await second!.load())
    weights[3]!.data[1] = odd
    await expect(fuse([first!, { ...second!, load: async () => weights }])).rejects.toMatchObject({
      code: 'GRAFT_NOT_FINITE',
      problem: `Parent b: fc2.bias[1] is ${odd}.`,
    })
  })

  it('should end for the reason of its signal', async () => {
    const signal = AbortSignal.abort(new Error('enough'))
    await expect(fuse(randomParents(GRAPH, 2), GRAPH, { signal })).rejects.toThrow('enough')
  })
})

describe.each([
  ['fedavg', STRATEGIES.fedavg],
  ['nt', STRATEGIES.nt],
  ['median', STRATEGIES.median],
  ['trimmed-mean', STRATEGIES['trimmed-mean']],
  ['krum', STRATEGIES.krum],
  ['fedadam', STRATEGIES.fedadam],
] as const)('%s', (_, strategy) => {
  it('should be done with a parent before it loads the next', async () => {
    const parents = randomParents(GRAPH, 6)
    const shared = randomWeights(GRAPH, createRng('buffer'))
    const reusing = parents.map((parent) => ({
      ...parent,
      // One buffer for all parents: whoever kept the last one's weights would see the next one's.
      load: async () => {
        const own = await parent.load()
        shared.forEach(({ data }, w) => data.set(own[w]!.data))
        return shared
      },
    }))
    const fuse = async (of: readonly Parent[]) =>
      loaded(await strategy.fuse({ ...fusionOf(of, GRAPH), start: someStart(GRAPH) }))
    expect(await fuse(reusing)).toEqual(await fuse(parents))
  })
})

// Helpers

const PROXY = {
  train: blobExamples({ inputShape: [3], numClasses: 2 }, 40, 'proxy'),
  heldOut: blobExamples({ inputShape: [3], numClasses: 2 }, 10, 'held out'),
}

/** A round's start from some global model, of which nothing is remembered. */
function someStart(graph: NeuronGraph): RoundStart {
  return startOf(randomWeights(graph, createRng('global')))
}

/** With what is remembered loaded, as no two fusions have the same functions. */
async function loaded({ state = {}, ...fusion }: Fusion) {
  const entries = Object.entries(state).map(
    async ([name, part]) => [name, await part.load()] as const,
  )
  return { ...fusion, state: Object.fromEntries(await Promise.all(entries)) }
}

/** Of the options that the tests take; the smallest that leave nothing out. */
const FEWEST: Readonly<Record<string, number>> = { 'trimmed-mean': 3, krum: 3 }

/** Training is not what these tests are about. */
const quickly = (name: string): Partial<FusionInput> => {
  if (name === 'kf-gradient') return { options: { epochs: '25' } }
  if (name === 'feddf') return { options: { steps: '100' } }
  if (name === 'krum') return { options: { f: '0' } }
  return name === 'auto' ? { options: { try: 'closed-form' } } : {}
}
