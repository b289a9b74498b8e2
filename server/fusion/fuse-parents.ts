import { type NeuronGraph, widthsOf } from '../../shared/model/neuron-graph.ts'
import { assertFinite } from '../../shared/model/weights.ts'
import { assertSuitable } from './assert-suitable.ts'
import { checkParents } from './check-parents.ts'
import { ledgerOf } from './ledger.ts'
import { inIdOrder } from './parents.ts'
import type { Fusion, FusionInput, Parent, Strategy } from './strategy.ts'

/**
 * Fuses parents by a strategy: the one way in for rounds, for `graft fuse` and for the library. A single
 * parent of the fused network's widths comes out as it went in, unless the strategy goes on from something.
 *
 * @throws GraftError GRAFT_OPTION_INVALID without parents; GRAFT_SHAPE_MISMATCH when a parent is of another
 *   architecture or counts other classes; GRAFT_NOT_FINITE for weights or scores that are no numbers; and
 *   what the strategy refuses; or the reason of `signal`
 */
export async function fuseParents(strategy: Strategy, input: FusionInput): Promise<Fusion> {
  const { graph, signal } = input
  signal?.throwIfAborted()
  const widths = await checkParents(input.parents, graph)
  const parents = inIdOrder(input.parents)
  const isAsWide = String(widths[0]) === String(widthsOf(graph))
  if (parents.length === 1 && isAsWide && strategy.isStateful !== true) {
    return onlyParent(parents[0]!, graph)
  }
  const { length } = parents
  assertSuitable({ strategy, options: input.options }, graph, { fewest: length, most: length })
  const fusion = await strategy.fuse({ ...input, parents })
  signal?.throwIfAborted()
  assertFinite(fusion.weights)
  return fusion
}

async function onlyParent(parent: Parent, graph: NeuronGraph): Promise<Fusion> {
  const byName = new Map((await parent.load()).map((tensor) => [tensor.name, tensor]))
  return {
    weights: graph.weights.map(({ name, shape }) => ({
      name,
      shape,
      data: byName.get(name)!.data.slice(),
    })),
    ledger: ledgerOf(graph, [parent.id], (_, neuron) => [
      { parent: 0, neuron, share: 1, score: null },
    ]),
    reason: 'There is one parent, and it comes out as it went in.',
  }
}
