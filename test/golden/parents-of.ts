import type { Parent } from '../../server/fusion/strategy.ts'
import { headGroup, type NeuronGraph } from '../../shared/model/neuron-graph.ts'
import { type Fixture, weightsUnder } from './fixture.ts'

/** The parents of a fixture, of one example of each class. @param scores [parent][group][neuron] */
export function parentsOf(
  fixture: Fixture,
  graph: NeuronGraph,
  scores: readonly (readonly Float32Array[])[] = [],
): Parent[] {
  // Not every case says how many there are.
  const found = [...fixture.tensors.keys()].flatMap(
    (name) => /^parents\.(\d+)\./.exec(name)?.[1] ?? [],
  )
  const k = new Set(found).size
  return Array.from({ length: k }, (_, parent) => ({
    // Ids are sorted as text.
    id: String(parent).padStart(String(k).length, '0'),
    numExamples: 1,
    classCounts: new Array<number>(headGroup(graph).width).fill(1),
    scores: scores[parent] ?? [],
    load: async () => weightsUnder(fixture, `parents.${parent}.`),
  }))
}
