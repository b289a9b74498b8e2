import * as tf from '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from 'vitest'
import { divergence, feddf } from '../../../../server/fusion/feddf.ts'
import { fedavg } from '../../../../server/fusion/fedavg.ts'
import type { FusionInput, Parent } from '../../../../server/fusion/strategy.ts'
import type { ExampleSet } from '../../../../shared/data/example-set.ts'
import { subset } from '../../../../shared/data/subset.ts'
import type { Weights } from '../../../../shared/model/weights.ts'
import { createRng } from '../../../../shared/numeric/rng.ts'
import { blobs } from '../../../support/blob-task.ts'
import { startTestEngine } from '../../../support/engine.ts'
import {
  convGraph,
  denseGraph,
  denseLogits,
  fusionOf,
  parentOf,
  randomParents,
  randomWeights,
} from '../../../support/plain-networks.ts'
import { blobExamples } from '../../../support/array-examples.ts'

beforeAll(async () => {
  await startTestEngine()
})

/** Softmax regression: its logits' mean is the logits of the mean weights. */
const LINEAR = denseGraph([6, 4])
const TRAIN = blobs('proxy', 100)
const NONE = subset(TRAIN, [])

describe('feddf', () => {
  it('should do what Algorithm 1 does, written out in float64', async () => {
    const parents = unequalParents()
    const input = inputOf(parents, { steps: '100', rate: '3e-3' })
    const { weights, ledger, reason } = await feddf.fuse(input)
    const expected = await reference(input, { steps: 100, rate: 3e-3 })
    weights.forEach(({ data }, w) => {
      data.forEach((value, i) =>
        expect(Math.abs(value - expected.weights[w]![i]!)).toBeLessThan(2e-4),
      )
    })
    const [from, to] = /from ([\d.]+) to ([\d.]+) nats/.exec(reason!)!.slice(1).map(Number)
    expect(from).toBeCloseTo(expected.start, 3)
    expect(to).toBeCloseTo(expected.best, 3)
    expect(reason).toContain('on 20 proxy examples')
    expect(ledger.parents).toEqual(['a', 'b'])
  })

  it('should come closer to the ensemble than the average, which has another mean', async () => {
    const parents = unequalParents()
    const { weights } = await feddf.fuse(inputOf(parents, { steps: '1000', rate: '3e-3' }))
    const average = await fedavg.fuse(fusionOf(parents, LINEAR))
    const loaded = await Promise.all(parents.map((parent) => parent.load()))
    const far = (of: Weights) => meanDivergence(blobs('others', 60), of, loaded)
    expect(far(weights)).toBeLessThan(far(average.weights) / 10)
  })

  it('should read no label', async () => {
    const parents = unequalParents()
    const lying = { ...TRAIN, labels: TRAIN.labels.map(() => 0) }
    const proxy = { train: lying, heldOut: NONE }
    const options = { steps: '100' }
    const { weights } = await feddf.fuse({ ...inputOf(parents, options), proxy })
    expect(weights).toEqual((await feddf.fuse(inputOf(parents, options))).weights)
  })

  it('should leave parents alone that agree', async () => {
    // All parents alike: the average is what the ensemble says.
    const same = randomWeights(LINEAR, createRng('same'))
    const parents = ['a', 'b'].map((id) => parentOf(id, same))
    const { weights } = await feddf.fuse(inputOf(parents, { steps: '100' }))
    expect(meanDivergence(blobs('others', 60), weights, [same])).toBeLessThan(1e-6)
  })

  it('should distil batch normalisation too', async () => {
    const graph = convGraph([2, 5, 3], 4)
    const parents = randomParents(graph, 2).map((parent) => ({
      ...parent,
      load: async () => {
        const weights = await parent.load()
        const variance = weights.find(({ name }) => name.endsWith('.movingVariance'))!
        variance.data.fill(1)
        return weights
      },
    }))
    const proxy = {
      train: blobExamples({ inputShape: [1, 4, 2], numClasses: 3 }, 200, 'conv'),
      heldOut: NONE,
    }
    const fusion = { ...fusionOf(parents, graph, { steps: '300' }), proxy }
    const { weights, reason } = await feddf.fuse(fusion)
    const [from, to] = /from ([\d.]+) to ([\d.]+)/.exec(reason!)!.slice(1).map(Number)
    expect(to).toBeLessThan(from! / 2)
    expect(weights).not.toEqual((await fedavg.fuse(fusion)).weights)
  })

  it('should refuse to do without a proxy set, or with a single example', async () => {
    const parents = unequalParents()
    const refusal = { code: 'GRAFT_OPTION_INVALID' }
    await expect(feddf.fuse(fusionOf(parents, LINEAR))).rejects.toMatchObject(refusal)
    const proxy = { train: subset(TRAIN, [0]), heldOut: NONE }
    await expect(feddf.fuse({ ...fusionOf(parents, LINEAR), proxy })).rejects.toMatchObject(refusal)
  })
})

describe('divergence', () => {
  it('should agree with the definition, and its gradient with finite differences', async () => {
    const logits = [1, -2, 0.5, 3, 0, -1]
    const target = [0.7, 0.2, 0.1, 0, 0.5, 0.5]
    const [loss, gradient] = tf.tidy(() => {
      const made = divergence(tf.tensor2d(logits, [2, 3]), tf.tensor2d(target, [2, 3]))
      return [made.loss, made.dOutput]
    })
    const plain = (z: readonly number[]) =>
      (klOf(target.slice(0, 3), z.slice(0, 3)) + klOf(target.slice(3), z.slice(3))) / 2
    expect((await loss.data())[0]).toBeCloseTo(plain(logits), 6)
    const values = await gradient.data()
    logits.forEach((_, i) => {
      const moved = (by: number) => logits.map((z, j) => (j === i ? z + by : z))
      expect(values[i]).toBeCloseTo((plain(moved(1e-5)) - plain(moved(-1e-5))) / 2e-5, 6)
    })
    tf.dispose([loss, gradient])
  })
})

// Helpers

function unequalParents(): Parent[] {
  return [1, 9].map((numExamples, k) => {
    const id = 'ab'[k]!
    return parentOf(id, randomWeights(LINEAR, createRng(id)), { numExamples })
  })
}

function inputOf(parents: readonly Parent[], options: Record<string, string>): FusionInput {
  return { ...fusionOf(parents, LINEAR, options), proxy: { train: TRAIN, heldOut: NONE } }
}

const softmaxOf = (z: readonly number[]): number[] => {
  const exponentials = z.map((value) => Math.exp(value - Math.max(...z)))
  const sum = exponentials.reduce((a, b) => a + b, 0)
  return exponentials.map((value) => value / sum)
}

const klOf = (p: readonly number[], z: readonly number[]): number => {
  const q = softmaxOf(z)
  return p.reduce((sum, value, c) => sum + (value > 0 ? value * Math.log(value / q[c]!) : 0), 0)
}

/** softmax of the mean of the logits of all parents, for one input. */
const teach = (x: readonly number[], parents: readonly Weights[]): number[] => {
  const all = parents.map((weights) => denseLogits(weights, x))
  return softmaxOf(all[0]!.map((_, c) => all.reduce((sum, z) => sum + z[c]! / all.length, 0)))
}

const rowsOf = (examples: ExampleSet): number[][] =>
  [...examples.labels.keys()].map((i) => [...examples.inputs([i])])

function meanDivergence(examples: ExampleSet, of: Weights, parents: readonly Weights[]): number {
  const rows = rowsOf(examples)
  return rows.reduce((sum, x) => sum + klOf(teach(x, parents), denseLogits(of, x)), 0) / rows.length
}

/**
 * Algorithm 1 for softmax regression by full batches, with Adam (arXiv 1412.6980, Algorithm 1), cosine
 * annealing and the best weights by the examples held out.
 */
async function reference(
  { parents, rng }: FusionInput,
  { steps, rate }: { steps: number; rate: number },
) {
  const loaded = await Promise.all(parents.map((parent) => parent.load()))
  const n = parents.reduce((sum, { numExamples }) => sum + numExamples, 0)
  let w = loaded[0]!.map(({ data }, at) =>
    Array.from(data, (_, i) =>
      loaded.reduce((sum, of, k) => sum + (parents[k]!.numExamples / n) * of[at]!.data[i]!, 0),
    ),
  )
  const order = rng
    .split('feddf')
    .split('held-out')
    .shuffle([...TRAIN.labels.keys()])
  const rows = rowsOf(TRAIN).map((x) => ({ x, p: teach(x, loaded) }))
  const heldOut = order.slice(0, 20).map((i) => rows[i]!)
  const learnt = order.slice(20).map((i) => rows[i]!)
  const logitsOf = ([kernel, bias]: number[][], x: readonly number[]) =>
    bias!.map((b, c) => x.reduce((sum, value, d) => sum + value * kernel![d * 4 + c]!, b))
  const judge = (of: number[][]) =>
    heldOut.reduce((sum, { x, p }) => sum + klOf(p, logitsOf(of, x)), 0) / heldOut.length
  const start = judge(w)
  let best = { loss: start, weights: w }
  const m = w.map((of) => of.map(() => 0))
  const v = w.map((of) => of.map(() => 0))
  for (let t = 1; t <= steps; t++) {
    const gradient = w.map((of) => of.map(() => 0))
    for (const { x, p } of learnt) {
      softmaxOf(logitsOf(w, x)).forEach((q, c) => {
        const d = (q - p[c]!) / learnt.length
        gradient[1]![c]! += d
        x.forEach((value, at) => (gradient[0]![at * 4 + c]! += d * value))
      })
    }
    const eta = (rate * (1 + Math.cos((Math.PI * (t - 1)) / steps))) / 2
    w = w.map((of, at) =>
      of.map((value, i) => {
        const g = gradient[at]![i]!
        m[at]![i] = 0.9 * m[at]![i]! + 0.1 * g
        v[at]![i] = 0.999 * v[at]![i]! + 0.001 * g * g
        const [mHat, vHat] = [m[at]![i] / (1 - 0.9 ** t), v[at]![i] / (1 - 0.999 ** t)]
        return value - (eta * mHat) / (Math.sqrt(vHat) + 1e-8)
      }),
    )
    const loss = judge(w)
    if (loss < best.loss) best = { loss, weights: w }
  }
  return { start, best: best.loss, weights: best.weights }
}
