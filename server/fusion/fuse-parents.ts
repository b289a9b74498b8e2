import { GraftError } from '../../shared/errors.ts'
import { headGroup, type NeuronGraph, widthsOf } from '../../shared/model/neuron-graph.ts'
import { assertFinite } from '../../shared/model/weights.ts'
import { assertSuitable } from './assert-suitable.ts'
import { ledgerOf } from './ledger.ts'
import { measureWidths } from './measure-widths.ts'
import { inIdOrder } from './parents.ts'
import type { Fusion, FusionInput, Parent, Strategy } from './strategy.ts'

/**
 * Fuses parents by a strategy: the one way in for rounds, for `graft fuse` and for the library. A single
 * parent of the fused network's widths comes out as it went in.
 *
 * @throws GraftError GRAFT_OPTION_INVALID without parents; GRAFT_SHAPE_MISMATCH when a parent is of another
 *   architecture or counts other classes; GRAFT_NOT_FINITE for weights or scores that are no numbers; and
 *   what the strategy refuses; or the reason of `signal`
 */
export async function fuseParents(strategy: Strategy, input: FusionInput): Promise<Fusion> {
  const { graph, signal } = input
  signal?.throwIfAborted()
  if (input.parents.length === 0) {
    throw new GraftError('GRAFT_OPTION_INVALID', 'There is no parent to fuse.')
  }
  const parents = inIdOrder(input.parents)
  let widths: number[] = []
  for (const parent of parents) widths = await checkParent(parent, graph)
  if (parents.length === 1 && String(widths) === String(widthsOf(graph))) {
    return onlyParent(parents[0]!, graph)
  }
  assertSuitable(strategy, graph, parents.length)
  const fusion = await strategy.fuse({ ...input, parents })
  signal?.throwIfAborted()
  assertFinite(fusion.weights)
  return fusion
}

/** @returns widths of its groups */
async function checkParent(parent: Parent, graph: NeuronGraph): Promise<number[]> {
  const { id, classCounts, scores, numExamples } = parent
  const weights = await parent.load()
  const widths = measureWidths(weights, graph, id)
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
