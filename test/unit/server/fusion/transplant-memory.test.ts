import { setTimeout } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { neuronTransplantation } from '../../../../server/fusion/neuron-transplantation.ts'
import { sizeOf } from '../../../../shared/model/weights.ts'
import { createRng } from '../../../../shared/numeric/rng.ts'
import { collectGarbage } from '../../../support/collect-garbage.ts'
import { denseGraph, fusionOf, parentOf, randomWeights } from '../../../support/plain-networks.ts'

const GRAPH = denseGraph([784, 2048, 1536, 10])
const MODEL_BYTES = GRAPH.weights.reduce((sum, { shape }) => sum + 4 * sizeOf(shape), 0)

// Parents beyond the second are these two again: what they take is no concern here.
const LOADED = ['a', 'b'].map((seed) => randomWeights(GRAPH, createRng(seed)))

describe('memory of nt', () => {
  it.each([2, 32])('should stay below 1.5 models beyond %i parents', async (count) => {
    let most = 0
    const parents = Array.from({ length: count }, (_, k) => {
      const weights = LOADED[k % LOADED.length]!
      return parentOf(`p${String(k).padStart(2, '0')}`, weights, {
        load: async () => {
          look()
          return weights
        },
      })
    })
    const before = await settled()
    const fused = await neuronTransplantation.fuse(fusionOf(parents, GRAPH))
    look()
    expect(fused.weights).toHaveLength(GRAPH.weights.length)
    expect(most / MODEL_BYTES).toBeGreaterThan(0.99)
    expect(most / MODEL_BYTES).toBeLessThan(1.5)

    /** Counts what has become garbage since the last look too, then clears it away. */
    function look(): void {
      most = Math.max(most, process.memoryUsage().arrayBuffers - before)
      collectGarbage()
    }
  })
})

// Helpers

/** Bytes of array buffers, when those that are garbage have been freed, which a thread does in the background. */
async function settled(): Promise<number> {
  let bytes = Infinity
  for (let now = -1; now !== bytes;) {
    bytes = now
    collectGarbage()
    await setTimeout(100)
    now = process.memoryUsage().arrayBuffers
  }
  return bytes
}
