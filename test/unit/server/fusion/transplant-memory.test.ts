import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { neuronTransplantation } from '../../../../server/fusion/neuron-transplantation.ts'
import { sizeOf } from '../../../../shared/model/weights.ts'
import { createRng } from '../../../../shared/numeric/rng.ts'
import { denseGraph, fusionOf, parentOf, randomWeights } from '../../../support/plain-networks.ts'

const GRAPH = denseGraph([784, 2048, 1536, 10])
const MODEL_BYTES = GRAPH.weights.reduce((sum, { shape }) => sum + 4 * sizeOf(shape), 0)

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

describe('memory of nt', () => {
  it.each([
    [2, 'hierarchical'],
    [32, 'hierarchical'],
    [32, 'joint'],
  ] as const)('should stay below 1.5 models beyond %i parents, %s', async (count, tree) => {
    // Parents beyond the second are the first two again: what they take is no concern here.
    const loaded = ['a', 'b'].map((seed) => randomWeights(GRAPH, createRng(seed)))
    let most = 0
    const parents = Array.from({ length: count }, (_, k) => {
      const weights = loaded[k % loaded.length]!
      return parentOf(`p${String(k).padStart(2, '0')}`, weights, {
        load: async () => {
          look()
          return weights
        },
      })
    })
    collect()
    const before = process.memoryUsage().arrayBuffers
    const fused = await neuronTransplantation.fuse(fusionOf(parents, GRAPH, { tree }))
    look()
    expect(fused.weights).toHaveLength(GRAPH.weights.length)
    expect(most).toBeGreaterThan(MODEL_BYTES)
    expect(most / MODEL_BYTES).toBeLessThan(1.5)

    /** Counts what has become garbage since the last look too, then clears it away. */
    function look(): void {
      most = Math.max(most, process.memoryUsage().arrayBuffers - before)
      collect()
    }
  })
})
