import type * as tf from '@tensorflow/tfjs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ExampleSet } from '../../../../shared/data/example-set.ts'
import { askParents, ensembleLogits } from '../../../../server/proxy/ensemble.ts'
import type { Parent } from '../../../../server/fusion/strategy.ts'
import { writeWeights } from '../../../../shared/model/weights.ts'
import { evaluate } from '../../../../shared/training/evaluate.ts'
import { blobModel, blobParent, blobs, untrainedBlob } from '../../../support/blob-task.ts'
import { startTestEngine } from '../../../support/engine.ts'
import { expectNoLeakAsync } from '../../../support/expect-no-leak.ts'
import { denseLogits } from '../../../support/plain-networks.ts'

const TEST = blobs('test', 60)

let model: tf.LayersModel
let parents: Parent[]

beforeAll(async () => {
  await startTestEngine()
  model = blobModel()
  parents = [await blobParent('a', [0, 1]), await blobParent('b', [1, 2, 3])]
})
afterAll(() => model.dispose())

describe('the ensemble of askParents', () => {
  it('should agree with its equation written out in float64', async () => {
    const loaded = await Promise.all(parents.map((parent) => parent.load()))
    const actual = await ensembleProbabilities(model, parents, TEST)
    TEST.labels.forEach((_, i) => {
      const input = [...TEST.inputs([i])]
      const weighted = [0, 1, 2, 3].map((c) =>
        parents.reduce((sum, { classCounts }, k) => {
          const ofClass = parents.reduce((n, parent) => n + parent.classCounts[c]!, 0)
          return sum + (classCounts[c]! / ofClass) * softmax(denseLogits(loaded[k]!, input))[c]!
        }, 0),
      )
      const total = weighted.reduce((sum, p) => sum + p, 0)
      weighted.forEach((p, c) => expect(actual[i * 4 + c]).toBeCloseTo(p / total, 4))
    })
  })

  it('should be the one parent’s softmax when there is one', async () => {
    const [parent] = parents
    const actual = await ensembleProbabilities(
      model,
      [{ ...parent!, classCounts: [1, 1, 1, 1] }],
      TEST,
    )
    const logits = denseLogits(await parent!.load(), [...TEST.inputs([7])])
    softmax(logits).forEach((p, c) => expect(actual[7 * 4 + c]).toBeCloseTo(p, 4))
  })

  it('should give the same bytes whoever uploads first', async () => {
    const [reversed] = await askParents(model, parents.toReversed(), [TEST])
    expect([...reversed!.parents.keys()]).toEqual(['a', 'b'])
    expect(reversed!.probabilities).toEqual(await ensembleProbabilities(model, parents, TEST))
  })
})

describe('ensembleLogits', () => {
  it('should agree with its equation written out in float64', async () => {
    const loaded = await Promise.all(parents.map((parent) => parent.load()))
    const [actual] = await ensembleLogits(model, parents, [TEST])
    TEST.labels.forEach((_, i) => {
      const input = [...TEST.inputs([i])]
      const centred = loaded.map((weights) => centre(denseLogits(weights, input)))
      const weighted = [0, 1, 2, 3].map((c) =>
        parents.reduce((sum, { classCounts }, k) => {
          const ofClass = parents.reduce((n, parent) => n + parent.classCounts[c]!, 0)
          return sum + (classCounts[c]! / ofClass) * centred[k]![c]!
        }, 0),
      )
      centre(weighted).forEach((z, c) => expect(actual![i * 4 + c]).toBeCloseTo(z, 3))
    })
  })
})

describe('askParents', () => {
  it('should judge every parent and the ensemble on every set, loading each parent once', async () => {
    const loads: string[] = []
    const counting = parents.map((parent) => ({
      ...parent,
      load: () => {
        loads.push(parent.id)
        return parent.load()
      },
    }))
    const [first, second] = await askParents(model, counting, [TEST, blobs('second', 30)])
    expect(loads).toEqual(['a', 'b'])
    expect([...first!.parents.keys()]).toEqual(['a', 'b'])
    expect(second!.probabilities).toHaveLength(30 * 4)
    writeWeights(model, await parents[1]!.load())
    expect(first!.parents.get('b')).toEqual(await evaluate(model, TEST))
    expect(first!.ensemble.accuracy).toBeGreaterThan(first!.parents.get('a')!.accuracy)
    expect(Number.isFinite(first!.ensemble.loss)).toBe(true)
  })

  it('should refuse a parent of another architecture', async () => {
    const [tensor, ...others] = untrainedBlob('other')
    const narrow = [{ ...tensor!, shape: [3, 12] }, ...others]
    const parent = { ...parents[0]!, load: async () => narrow }
    await expect(askParents(model, [parent], [TEST])).rejects.toMatchObject({
      code: 'GRAFT_SHAPE_MISMATCH',
    })
  })

  it('should leave no tensor alive', async () => {
    await expectNoLeakAsync(() => askParents(model, parents, [TEST]))
  })
})

// Helpers

function softmax(logits: number[]): number[] {
  const exponentials = logits.map(Math.exp)
  const sum = exponentials.reduce((total, value) => total + value, 0)
  return exponentials.map((value) => value / sum)
}

async function ensembleProbabilities(...[of, asked, examples]: ProbabilitiesInput) {
  const [opinion] = await askParents(of, asked, [examples])
  return opinion!.probabilities
}

type ProbabilitiesInput = [
  model: Parameters<typeof askParents>[0],
  parents: Parameters<typeof askParents>[1],
  examples: ExampleSet,
]

function centre(row: readonly number[]): number[] {
  const mean = row.reduce((a, b) => a + b, 0) / row.length
  return row.map((value) => value - mean)
}
