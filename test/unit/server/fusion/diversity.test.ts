import { beforeAll, describe, expect, it } from 'vitest'
import { type Diversity, measureDiversity } from '../../../../server/fusion/diversity.ts'
import type { FusionInput, Parent } from '../../../../server/fusion/strategy.ts'
import { type NeuronGraph, widthsOf } from '../../../../shared/model/neuron-graph.ts'
import { createRng } from '../../../../shared/numeric/rng.ts'
import { blobExamples } from '../../../support/array-examples.ts'
import { startTestEngine } from '../../../support/engine.ts'
import { expectNoLeakAsync } from '../../../support/expect-no-leak.ts'
import { permuteGroup } from '../../../support/permute-group.ts'
import {
  convGraph,
  denseGraph,
  denseLogits,
  fusionOf,
  parentOf,
  randomParents,
  randomWeights,
} from '../../../support/plain-networks.ts'

beforeAll(async () => {
  await startTestEngine()
})

const DENSE = denseGraph([3, 8, 5, 2])
const CONV = convGraph([2, 5, 3], 4)
const proxyOf = (inputShape: number[], numClasses: number) => ({
  train: blobExamples({ inputShape, numClasses }, 60, 'proxy'),
  heldOut: blobExamples({ inputShape, numClasses }, 5, 'held out'),
})
const PROXY = proxyOf([3], 2)

const measure = (
  parents: readonly Parent[],
  graph = DENSE,
  more: Partial<FusionInput> = { proxy: graph === DENSE ? PROXY : proxyOf([1, 4, 2], 3) },
): Promise<Diversity> => measureDiversity({ ...fusionOf(parents, graph), ...more })

/** The same network with its neurons in another order. */
async function shuffled(parent: Parent, graph: NeuronGraph): Promise<Parent> {
  const weights = graph.groups
    .filter(({ isFixed }) => !isFixed)
    .reduce(
      (moved, group) => {
        const order = createRng('order').shuffle(Array.from({ length: group.width }, (_, i) => i))
        return permuteGroup(moved, graph, group, order)
      },
      await parent.load(),
    )
  return parentOf('z', weights)
}

describe('measureDiversity', () => {
  it.each([
    ['dense', DENSE],
    ['conv', CONV],
  ])('should find a %s network and its neurons in another order alike', async (_, graph) => {
    // No variance is negative.
    const weights = randomWeights(graph, createRng('one')).map((tensor) => ({
      ...tensor,
      data: /variance/i.test(tensor.name) ? tensor.data.map(Math.abs) : tensor.data,
    }))
    const one = parentOf('a', weights)
    const { pairs } = await measure([one, await shuffled(one, graph)], graph)
    expect(pairs).toHaveLength(1)
    expect(pairs[0]!.weightDistance).toBeCloseTo(0, 6)
    expect(pairs[0]!.disagreement).toBe(0)
    expect(pairs[0]!.cka).toHaveLength(graph.levels.length)
    for (const alike of pairs[0]!.cka) expect(alike).toBeCloseTo(1, 4)
  })

  it('should find networks that have nothing in common far apart', async () => {
    const { pairs, levels } = await measure(randomParents(DENSE, 2))
    expect(levels).toEqual(['fc1', 'fc2', 'fc3'])
    expect(pairs[0]!.weightDistance).toBeGreaterThan(0.5)
    for (const alike of pairs[0]!.cka) expect(alike).toBeLessThan(0.99)
  })

  it('should count the examples that are taken for different classes', async () => {
    const parents = randomParents(DENSE, 2, 'apart')
    const { labels, inputs } = PROXY.train
    const classes = await Promise.all(
      parents.map(async (parent) => {
        const weights = await parent.load()
        return Array.from(labels.keys(), (i) => {
          const [first, second] = denseLogits(weights, [...inputs([i])])
          return first! >= second! ? 0 : 1
        })
      }),
    )
    const apart = classes[0]!.filter((label, i) => label !== classes[1]![i]).length
    expect(apart).toBeGreaterThan(0)
    const { pairs } = await measure(parents)
    expect(pairs[0]!.disagreement).toBe(apart / labels.length)
  })

  it('should measure what can be measured of different widths, and without a proxy set', async () => {
    const [one] = randomParents(DENSE, 1)
    const wide = widthsOf(DENSE).map((width, group) => (group === 0 ? width + 2 : width))
    const other = parentOf('b', randomWeights(DENSE, createRng('wide'), wide))
    const { pairs } = await measure([one!, other])
    expect(pairs[0]!.weightDistance).toBeNull()
    expect(pairs[0]!.disagreement).not.toBeNull()
    const bare = await measure(randomParents(DENSE, 2), DENSE, {})
    expect(bare.pairs[0]).toMatchObject({ disagreement: null, cka: [] })
    expect(bare.pairs[0]!.weightDistance).toBeGreaterThan(0)
  })

  it('should draw eight of a large cohort, the same whoever uploads first', async () => {
    const parents = randomParents(DENSE, 12)
    const measured = await measure(parents)
    expect(measured.parents).toHaveLength(8)
    expect(measured.parents).toEqual([...measured.parents].sort())
    expect(measured.pairs).toHaveLength(28)
    expect(await measure([...parents].reverse())).toEqual(measured)
  })

  it('should leave no tensor behind', async () => {
    const parents = randomParents(DENSE, 3)
    await expectNoLeakAsync(() => measure(parents))
  })

  it('should end for the reason of its signal', async () => {
    const signal = AbortSignal.abort(new Error('enough'))
    await expect(measure(randomParents(DENSE, 2), DENSE, { signal })).rejects.toThrow('enough')
  })
})
