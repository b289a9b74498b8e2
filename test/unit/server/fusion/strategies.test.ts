import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { fuseParents } from '../../../../server/fusion/fuse-parents.ts'
import { parentShares } from '../../../../server/fusion/ledger.ts'
import { parseStrategy, STRATEGIES } from '../../../../server/fusion/strategies.ts'
import type { Parent, ProxyExamples, Strategy } from '../../../../server/fusion/strategy.ts'
import { headGroup, type NeuronGraph } from '../../../../shared/model/neuron-graph.ts'
import { createRng } from '../../../../shared/numeric/rng.ts'
import { blobExamples } from '../../../support/array-examples.ts'
import { startTestEngine } from '../../../support/engine.ts'
import {
  convGraph,
  copyOf,
  denseGraph,
  fusionOf,
  parentOf,
  randomParents,
  randomWeights,
} from '../../../support/plain-networks.ts'

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

/** Strategies that take so many parents and no more. */
const MOST_PARENTS: Readonly<Record<string, number>> = { 'hf-linear': 2 }

/** All that give a network. */
const FUSING = Object.entries<Strategy>(STRATEGIES).filter(([, of]) => of.isComparison !== true)

beforeAll(startTestEngine)

describe.each(FUSING)('every strategy: %s', (name, strategy) => {
  const fuse = (parents: readonly Parent[], graph = GRAPH) =>
    fuseParents(strategy, { ...fusionOf(parents, graph), proxy: proxyFor(graph) })

  const most = (count: number) => Math.min(count, MOST_PARENTS[name] ?? count)

  it('should be registered under its own name', () => {
    expect(strategy.name).toBe(name)
    expect(strategy.summary).not.toBe('')
    expect(strategy.paper).toMatch(/^arXiv \d{4}\.\d{5}/)
  })

  it.each([GRAPH, CONV])('should give the one parent back', async (graph) => {
    const [parent] = randomParents(graph, 1)
    const { weights, ledger } = await fuse([parent!], graph)
    expect(weights).toEqual(await parent!.load())
    expect(parentShares(ledger)).toEqual([1])
  })

  it('should keep names, order and shapes', async () => {
    const { weights } = await fuse(randomParents(GRAPH, most(5)))
    expect(weights.map(({ name, shape }) => ({ name, shape }))).toEqual(GRAPH.weights)
    expect(weights.every(({ data }) => data instanceof Float32Array)).toBe(true)
    expect(weights.every(({ data }) => data.every(Number.isFinite))).toBe(true)
  })

  it('should account for every neuron', async () => {
    const { ledger } = await fuse(randomParents(GRAPH, most(5)))
    expect(ledger.parents).toEqual(['a', 'b', 'c', 'd', 'e'].slice(0, most(5)))
    expect(ledger.groups.map(({ name }) => name)).toEqual(['fc1', 'fc2'])
    expect(ledger.groups.map(({ neurons }) => neurons.length)).toEqual([6, 4])
    for (const made of ledger.groups.flatMap(({ neurons }) => neurons)) {
      expect(made.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 12)
    }
  })

  it('should give the same bytes whoever uploads first', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 7 }), fc.string(), async (count, seed) => {
        const parents = randomParents(GRAPH, most(count), seed)
        expect(await fuse(createRng(seed).shuffle(parents))).toEqual(await fuse(parents))
      }),
      { numRuns: 25 },
    )
  })

  it('should not change what a parent loads, nor hand it out', async () => {
    const loaded = await Promise.all(randomParents(GRAPH, most(4)).map((parent) => parent.load()))
    const before = loaded.map(copyOf)
    const parents = loaded.map((weights, k) =>
      parentOf(`p${k}`, weights, { load: async () => weights }),
    )
    const { weights } = await fuse(parents)
    weights.forEach(({ data }) => data.fill(7))
    expect(loaded).toEqual(before)
  })

  it('should be done with a parent before it loads the next', async () => {
    const parents = randomParents(GRAPH, most(6))
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
    expect(await fuse(reusing)).toEqual(await fuse(parents))
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
})

// Helpers

/** A few labelled examples of the shape that a graph's network reads. */
function proxyFor(graph: NeuronGraph): ProxyExamples {
  const shape = graph === CONV ? [1, 4, 2] : [3]
  const data = { inputShape: shape, numClasses: headGroup(graph).width }
  return { train: blobExamples(data, 24, 'train'), heldOut: blobExamples(data, 12, 'held out') }
}
