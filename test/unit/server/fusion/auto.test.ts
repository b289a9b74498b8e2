import type * as tf from '@tensorflow/tfjs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { auto } from '../../../../server/fusion/auto.ts'
import { fuseParents } from '../../../../server/fusion/fuse-parents.ts'
import { parseStrategy } from '../../../../server/fusion/strategies.ts'
import type { FusionInput, Parent } from '../../../../server/fusion/strategy.ts'
import type { ExampleSet } from '../../../../shared/data/example-set.ts'
import { neuronGraph, type NeuronGraph } from '../../../../shared/model/neuron-graph.ts'
import { type Weights, writeWeights } from '../../../../shared/model/weights.ts'
import { createRng } from '../../../../shared/numeric/rng.ts'
import { evaluate } from '../../../../shared/training/evaluate.ts'
import { blobModel, blobParent, blobs } from '../../../support/blob-task.ts'
import { startTestEngine } from '../../../support/engine.ts'
import { fusionOf, parentOf, randomWeights } from '../../../support/plain-networks.ts'

const PROXY = { train: blobs('train', 80), heldOut: blobs('held out', 60) }

let model: tf.LayersModel
let graph: NeuronGraph
let parents: Parent[]

beforeAll(async () => {
  await startTestEngine()
  model = blobModel()
  graph = neuronGraph(model)
  parents = [await blobParent('a', [0, 1]), await blobParent('b', [1, 2, 3])]
})
afterAll(() => model.dispose())

describe('auto', () => {
  it('should be as good on the held-out examples as any that it tries', async () => {
    const { weights } = await fuse(parents)
    const best = await judge(weights, PROXY.heldOut)
    for (const method of ['fedavg', 'nt', 'kf-linear', 'hf-linear', 'git-rebasin', 'otfusion']) {
      const { strategy, options } = parseStrategy(method)
      const other = await fuseParents(strategy, inputOf(parents, { options }))
      expect(best).toBeGreaterThanOrEqual(await judge(other.weights, PROXY.heldOut))
    }
  })

  it('should be decided by the held-out examples, and learn nothing from them', async () => {
    const upsideDown = { ...PROXY.heldOut, labels: PROXY.heldOut.labels.map((label) => 3 - label) }
    const { weights, reason } = await fuse(parents)
    const other = await fuse(parents, { proxy: { train: PROXY.train, heldOut: upsideDown } })
    expect(other.reason).not.toBe(reason)
    // What it chose is what that method makes of the other examples alone.
    const chosen = /auto took ([^,]+),/.exec(reason!)![1]!
    const { strategy, options } = parseStrategy(chosen)
    const proxy = { train: PROXY.train, heldOut: blobs('none of them', 3) }
    const rng = createRng('fusion').split(chosen)
    const alone = await fuseParents(strategy, inputOf(parents, { options, proxy, rng }))
    expect(weights).toEqual(alone.weights)
  })

  it('should say in one sentence what decided', async () => {
    const { reason } = await fuse(parents)
    expect(reason).toMatch(
      /^auto took \S+, right on \d+\.\d % of 60 held-out proxy examples; \S+, the next of \d+ tried, has \d+\.\d %; the best parent, [ab], has \d+\.\d %.*\.$/,
    )
  })

  it('should not choose nt for a network and its copy, and keep its accuracy', async () => {
    const copy = { ...parents[1]!, id: 'copy' }
    const { weights, reason } = await fuse([parents[1]!, copy])
    expect(reason).toContain('nt was left out, as the parents are too alike')
    expect(reason).not.toMatch(/took nt/)
    const own = await judge(await copy.load(), PROXY.heldOut)
    expect(await judge(weights, PROXY.heldOut)).toBeGreaterThanOrEqual(own)
  })

  it('should go on without those that cannot fuse the parents', async () => {
    const wide = graph.groups.map(({ width, isHead }) => (isHead ? width : width + 3))
    const other = parentOf('wide', randomWeights(graph, createRng('wide'), wide))
    const { reason } = await fuse([parents[0]!, other])
    expect(reason).toMatch(/fedavg.*cannot fuse these parents/)
  })

  it('should train nothing when it is told so', async () => {
    const seen: string[] = []
    const onProgress = (detail: string) => seen.push(detail)
    await fuse(parents, { onProgress })
    expect(seen).toContain('trying kf-linear')
    expect(seen.join()).not.toContain('kf-gradient')
    const signal = new AbortController()
    const trained = fuse(parents, {
      options: {},
      signal: signal.signal,
      onProgress: (detail) => {
        if (detail.startsWith('trying kf-gradient')) signal.abort(new Error('far enough'))
      },
    })
    await expect(trained).rejects.toThrow('far enough')
  })

  it.each([
    ['no proxy set', undefined],
    ['nothing held out', { train: PROXY.train, heldOut: blobs('none', 0) }],
  ])('should refuse when there is %s', async (_, proxy) => {
    const bare = fusionOf(parents, graph)
    await expect(fuseParents(auto, { ...bare, ...(proxy && { proxy }) })).rejects.toMatchObject({
      code: 'GRAFT_OPTION_INVALID',
      problem: expect.stringContaining('held-out proxy examples'),
    })
  })
})

// Helpers

const inputOf = (of: readonly Parent[], more: Partial<FusionInput> = {}): FusionInput => ({
  ...fusionOf(of, graph, { try: 'closed-form' }),
  proxy: PROXY,
  ...more,
})

const fuse = (of: readonly Parent[], more: Partial<FusionInput> = {}) =>
  fuseParents(auto, inputOf(of, more))

async function judge(weights: Weights, examples: ExampleSet): Promise<number> {
  writeWeights(model, weights)
  return (await evaluate(model, examples)).accuracy
}
