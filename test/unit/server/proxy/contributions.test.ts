import type * as tf from '@tensorflow/tfjs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { contributions } from '../../../../server/proxy/contributions.ts'
import { askParents } from '../../../../server/proxy/ensemble.ts'
import type { Parent } from '../../../../server/fusion/strategy.ts'
import { blobModel, blobParent, blobs } from '../../../support/blob-task.ts'
import { startTestEngine } from '../../../support/engine.ts'
import { expectNoLeakAsync } from '../../../support/expect-no-leak.ts'

const EXAMPLES = blobs('held out', 80)

let model: tf.LayersModel
let parents: Parent[]

beforeAll(async () => {
  await startTestEngine()
  model = blobModel()
  parents = [
    await blobParent('a', [0, 1]),
    await blobParent('b', [1, 2, 3]),
    await blobParent('c', [0, 3]),
  ]
})
afterAll(() => model.dispose())

describe('contributions', () => {
  it('should be what the ensemble loses when it is formed without each parent', async () => {
    const ensembleOf = async (some: readonly Parent[]) => {
      const [opinion] = await askParents(model, some, [EXAMPLES])
      return opinion!.ensemble.accuracy
    }
    const all = await ensembleOf(parents)
    const found = await contributions(model, parents, EXAMPLES)
    for (const { id } of parents) {
      const others = await ensembleOf(parents.filter((parent) => parent.id !== id))
      const n = EXAMPLES.labels.length
      expect(found.get(id)).toBe(Math.round(n * (all - others)) / n)
    }
    // Nobody else knows class 2.
    expect(found.get('b')).toBeGreaterThan(0.1)
  })

  it('should not depend on who came first, and be empty of one parent', async () => {
    expect(await contributions(model, parents.toReversed(), EXAMPLES)).toEqual(
      await contributions(model, parents, EXAMPLES),
    )
    expect(await contributions(model, parents.slice(0, 1), EXAMPLES)).toEqual(new Map())
  })

  it('should leave no tensor', async () => {
    await expectNoLeakAsync(() => contributions(model, parents, EXAMPLES))
  })
})
