import { attribute } from '../../../shared/attribution/attribute.ts'
import type { NeuronGraph } from '../../../shared/model/neuron-graph.ts'
import { writeWeights } from '../../../shared/model/weights.ts'
import { compareFloats, type Comparison } from '../compare.ts'
import { examplesOf, type Fixture, floats, modelOf, weightsUnder } from '../fixture.ts'

/**
 * The scores that weighed a fixture's neurons, as recorded, and how far ours are from them.
 *
 * @param prefix `expected.<variant>.scores.`; of variants without any, neurons count alike
 * @returns [parent][group][neuron]
 */
export async function referenceScores(
  fixture: Fixture,
  graph: NeuronGraph,
  { prefix, k, scorer }: { prefix: string; k: number; scorer: string },
): Promise<{ scores: Float32Array[][]; comparisons: Comparison[] }> {
  const comparisons: Comparison[] = []
  const scores: Float32Array[][] = []
  for (let parent = 0; parent < k; parent++) {
    const own = await ownScores(fixture, parent, scorer)
    scores.push(
      graph.groups.map(({ index, name, width }) => {
        const tensor = `${prefix}${parent}.${name}`
        if (!fixture.tensors.has(tensor)) return own[index] ?? new Float32Array(width).fill(1)
        const recorded = floats(fixture, tensor)
        // What counts alike may be recorded as shares.
        const ours = scorer === 'uniform' ? new Float32Array(width).fill(recorded[0]!) : own[index]!
        comparisons.push(compareFloats(fixture, tensor, ours, { kind: 'largest', value: 1e-3 }))
        return recorded
      }),
    )
  }
  return { scores, comparisons }
}

async function ownScores(
  fixture: Fixture,
  parent: number,
  scorer: string,
): Promise<Float32Array[]> {
  if (scorer === 'uniform') return []
  const model = modelOf(fixture)
  try {
    writeWeights(model, weightsUnder(fixture, `parents.${parent}.`))
    const name = scorer === 'deeplift' ? 'deeplift' : 'conductance'
    const options = name === 'deeplift' ? { pooling: 'captum' as const } : {}
    return await attribute(name, model, examplesOf(fixture, model), { batchSize: 50, ...options })
  } finally {
    model.dispose()
  }
}
