import { GraftError } from '../../shared/errors.ts'
import { headGroup, type NeuronGraph } from '../../shared/model/neuron-graph.ts'
import { assertFinite } from '../../shared/model/weights.ts'
import { measureWidths } from './measure-widths.ts'
import type { Parent } from './strategy.ts'

/**
 * Looks at parents one at a time, before anything is made of them.
 *
 * @returns widths of the groups of each, [parent][group]
 * @throws GraftError GRAFT_OPTION_INVALID without parents, or for one trained on nothing; GRAFT_SHAPE_MISMATCH
 *   when one is of another architecture or counts other classes; GRAFT_NOT_FINITE for weights or scores that
 *   are no numbers; each names the parent
 */
export async function checkParents(
  parents: readonly Parent[],
  graph: NeuronGraph,
): Promise<number[][]> {
  if (parents.length === 0) {
    throw new GraftError('GRAFT_OPTION_INVALID', 'There is no parent to fuse.')
  }
  const widths: number[][] = []
  for (const parent of parents) widths.push(await checkParent(parent, graph))
  return widths
}

/** @returns widths of its groups */
async function checkParent(parent: Parent, graph: NeuronGraph): Promise<number[]> {
  const { id, classCounts, scores, numExamples } = parent
  const weights = parent.widths === undefined ? await parent.load() : []
  const widths = parent.widths ? [...parent.widths] : measureWidths(weights, graph, id)
  const head = headGroup(graph)
  if (classCounts.length !== head.width) {
    throw new GraftError(
      'GRAFT_SHAPE_MISMATCH',
      `Parent ${id} counts ${classCounts.length} classes, the fused network has ${head.width}.`,
    )
  }
  if (!(numExamples > 0) || !classCounts.every((count) => count >= 0)) {
    throw new GraftError(
      'GRAFT_OPTION_INVALID',
      `Parent ${id} says it was trained on ${numExamples} examples, of classes ${classCounts.join(' ')}.`,
    )
  }
  try {
    assertFinite(weights)
    assertFinite(
      scores.map((data, group) => ({ name: `scores.${group}`, shape: [data.length], data })),
    )
  } catch (error) {
    if (!(error instanceof GraftError)) throw error
    throw new GraftError(error.code, `Parent ${id}: ${error.problem}`)
  }
  return widths
}
