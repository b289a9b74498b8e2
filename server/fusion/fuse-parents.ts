import { type NeuronGraph, widthsOf } from '../../shared/model/neuron-graph.ts'
import { inOrderOf, openWeights } from '../../shared/model/weight-reader.ts'
import { finitePieces, streamFrom, streamOf } from '../../shared/model/weight-stream.ts'
import { assertSuitable } from './assert-suitable.ts'
import { collectFusion } from './block-strategy.ts'
import { checkParents } from './check-parents.ts'
import { ledgerOf } from './ledger.ts'
import { inIdOrder } from './parents.ts'
import type { Fusion, FusionInput, OpenFusion, Parent, Strategy } from './strategy.ts'

/**
 * Fuses parents by a strategy: the one way in for rounds, for `graft fuse` and for the library. A single
 * parent of the fused network's widths comes out as it went in, unless the strategy goes on from something.
 *
 * @throws GraftError GRAFT_OPTION_INVALID without parents; GRAFT_SHAPE_MISMATCH when a parent is of another
 *   architecture or counts other classes; GRAFT_NOT_FINITE for weights or scores that are no numbers; and
 *   what the strategy refuses; or the reason of `signal`
 */
export async function fuseParents(strategy: Strategy, input: FusionInput): Promise<Fusion> {
  const fusion = await collectFusion(await openFusion(strategy, input))
  input.signal?.throwIfAborted()
  return fusion
}

/**
 * The same for who stores the network while it is made. A strategy that holds whole networks has made it when this returns.
 *
 * @throws what {@link fuseParents} throws, some of it while weights are read
 */
export async function openFusion(strategy: Strategy, input: FusionInput): Promise<OpenFusion> {
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
  const fusion = await openBy(strategy, { ...input, parents })
  signal?.throwIfAborted()
  const { weights } = fusion
  return { ...fusion, weights: { shapes: weights.shapes, pieces: () => finitePieces(weights) } }
}

async function openBy(strategy: Strategy, input: FusionInput): Promise<OpenFusion> {
  if (strategy.holds === 'blocks') return strategy.open(input)
  const { weights, ledger, state, ...said } = await strategy.fuse(input)
  const parts = Object.entries(state ?? {})
  return {
    ...said,
    weights: streamOf(weights),
    ledger: () => ledger,
    ...(state && {
      state: Object.fromEntries(
        parts.map(([name, part]) => [name, async () => streamFrom(await openWeights(part))]),
      ),
    }),
  }
}

async function onlyParent(parent: Parent, graph: NeuronGraph): Promise<OpenFusion> {
  return {
    weights: streamFrom(inOrderOf(await openWeights(parent), graph.weights)),
    ledger: () =>
      ledgerOf(graph, [parent.id], (_, neuron) => [{ parent: 0, neuron, share: 1, score: null }]),
    reason: 'There is one parent, and it comes out as it went in.',
  }
}
