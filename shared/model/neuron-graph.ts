import type * as tf from '@tensorflow/tfjs'
import { GraftError } from '../errors.ts'
import { cutLevels, type Level, uniqueNames } from './levels.ts'
import { modelVariables } from './model-variables.ts'
import { createTrace } from './neuron-trace.ts'
import { type AxisLayout, groupsIn, lengthOf, type NeuronAxis } from './neurons.ts'
import { NETWORK_INPUT, type OpGraph, opGraphOf } from './op-graph.ts'
import type { NamedShape } from './weights.ts'

/** Neurons that must be kept, permuted or pruned together in every weight that makes or reads them. */
export interface NeuronGroup {
  /** 0-based, in the order in which the network makes them. */
  readonly index: number
  /** The first layer that makes them, in a residual stream one of several; unique among the groups. */
  readonly name: string
  /** Number of neurons: units, channels or attention heads. */
  readonly width: number
  /** The last group, whose neurons are the classes. */
  readonly isHead: boolean
  /**
   * Its neurons may not be moved or removed: the classes, what is added to the network's input, and what a
   * layer takes apart.
   */
  readonly isFixed: boolean
  /** Every axis of a weight on which they lie, alone or among others. */
  readonly axes: readonly NeuronAxis[]
}

/** A network's neurons: which weights belong to which, and where it can be cut. */
export interface NeuronGraph {
  /** What it computes. */
  readonly ops: OpGraph
  /** Its weights, in order. */
  readonly weights: readonly NamedShape[]
  readonly groups: readonly NeuronGroup[]
  /** Input side first; the last one ends in the logits. */
  readonly levels: readonly Level[]
  /** Neuron axes of each weight, by its name. */
  readonly axes: ReadonlyMap<string, readonly NeuronAxis[]>
  /** Neurons along the last axis of each node's output, [node]. */
  readonly layouts: readonly AxisLayout[]
}

/**
 * Follows the neurons of a network from its own graph of layers: through dense, convolutional, depthwise,
 * normalising, pooling, reshaping, embedding, attention and merging layers, and through any layer that
 * `registerLayerOps` was told about. DepGraph (Fang et al. 2023, arXiv:2301.12900) finds the same groups
 * by tracing gradients.
 *
 * @param model borrowed; nothing of it is kept but the settings of its layers
 * @throws GraftError GRAFT_LAYER_UNSUPPORTED naming the first layer whose neurons cannot be followed
 */
export function neuronGraph(model: tf.LayersModel): NeuronGraph {
  const ops = opGraphOf(model)
  const trace = createTrace()
  const layouts: AxisLayout[] = []
  const input: AxisLayout = { kind: 'fixed', length: model.inputs[0]!.shape.at(-1) ?? 1 }
  for (const { op, inputs } of ops.nodes) {
    const read = inputs.map((node) => (node === NETWORK_INPUT ? input : layouts[node]!))
    layouts.push(op.trace(read, trace))
  }
  trace.fix(layouts.at(-1)!)
  const { groups, fixed, axes, settle } = trace.finish()
  const settled = layouts.map(settle)
  const head = headOf(settled.at(-1)!, model)
  const byWeight = new Map<string, NeuronAxis[]>()
  for (const axis of axes) byWeight.set(axis.weight, [...(byWeight.get(axis.weight) ?? []), axis])
  const names = uniqueNames(groups.map(({ layer }) => layer))
  const shape = ({ shape }: tf.LayerVariable) => [...shape] as number[]
  return {
    ops,
    weights: modelVariables(model).map(({ name, variable }) => ({ name, shape: shape(variable) })),
    groups: groups.map(({ width }, index) => ({
      index,
      name: names[index]!,
      width,
      isHead: index === head,
      isFixed: fixed.has(index),
      axes: axes.filter(({ layout }) => groupsIn(layout).includes(index)),
    })),
    levels: cutLevels(ops, settled, byWeight),
    axes: byWeight,
    layouts: settled,
  }
}

/** The group of the classes. */
export function headGroup({ groups }: NeuronGraph): NeuronGroup {
  return groups.find(({ isHead }) => isHead)!
}

/**
 * Names and shapes of the weights of a network of the same graph with other widths.
 * @param widths neurons of each group, [group]
 */
export function shapesWith(graph: NeuronGraph, widths: readonly number[]): NamedShape[] {
  return graph.weights.map(({ name, shape }) => ({
    name,
    shape: shape.map((length, axis) => {
      const of = graph.axes.get(name)?.find((neurons) => neurons.axis === axis)
      return of === undefined ? length : lengthOf(of.layout, widths)
    }),
  }))
}

/** The same graph for a network of other widths. @param widths neurons of each group, [group] */
export function withWidths(graph: NeuronGraph, widths: readonly number[]): NeuronGraph {
  return {
    ...graph,
    weights: shapesWith(graph, widths),
    groups: graph.groups.map((group) => ({ ...group, width: widths[group.index]! })),
  }
}

/** Neurons of each group, [group]. */
export const widthsOf = ({ groups }: NeuronGraph): number[] => groups.map(({ width }) => width)

function headOf(logits: AxisLayout, model: tf.LayersModel): number {
  if (logits.kind === 'neurons' && logits.each === 1) return logits.group
  throw new GraftError(
    'GRAFT_LAYER_UNSUPPORTED',
    `Layer ${model.layers.at(-1)?.name ?? ''} gives logits that no one layer makes: end the network in a dense layer.`,
  )
}
