import { GraftError } from '../../shared/errors.ts'
import { widthsOf } from '../../shared/model/neuron-graph.ts'
import type { Weights } from '../../shared/model/weights.ts'
import { measureWidths } from './measure-widths.ts'
import { neuronTransplantation } from './neuron-transplantation.ts'
import { inIdOrder } from './parents.ts'
import type { FusionInput, Parent } from './strategy.ts'

/** Where training of a fused network starts. */
export interface StartNetwork {
  /** The parent it is a copy of; undefined when it is none. */
  readonly parent: Parent | undefined
  load(): Promise<Weights>
}

/**
 * A copy of the first parent that is as wide as the fused network, as the reference starts; where there is
 * none, the parents' largest neurons side by side.
 *
 * @throws GraftError GRAFT_SHAPE_MISMATCH when the parents are too narrow for that too
 */
export async function startNetwork(input: FusionInput): Promise<StartNetwork> {
  const { graph, parents } = input
  const wanted = String(widthsOf(graph))
  for (const parent of inIdOrder(parents)) {
    const weights = await parent.load()
    if (String(measureWidths(weights, graph, parent.id)) !== wanted) continue
    return { parent, load: () => parent.load() }
  }
  try {
    const { weights } = await neuronTransplantation.fuse({ ...input, options: {} })
    return { parent: undefined, load: async () => weights }
  } catch (error) {
    if (!(error instanceof GraftError)) throw error
    throw new GraftError(error.code, `No parent has the fused network’s widths. ${error.problem}`)
  }
}
