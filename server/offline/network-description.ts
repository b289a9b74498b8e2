import type * as tf from '@tensorflow/tfjs'
import { GraftError } from '../../shared/errors.ts'
import { type NeuronGraph, neuronGraph } from '../../shared/model/neuron-graph.ts'
import { type AxisLayout, groupsIn, lengthOf, type Role } from '../../shared/model/neurons.ts'
import { sizeOf } from '../../shared/model/weights.ts'

/** What `graft inspect` tells of a network, for `--json` too. */
export interface NetworkDescription {
  readonly name: string
  readonly inputShape: readonly (number | null)[]
  readonly numClasses: number
  /** Numbers that training changes. */
  readonly parameters: number
  /** Numbers that only follow, as moving means and variances do. */
  readonly statistics: number
  readonly levels: readonly LevelDescription[]
  readonly groups: readonly GroupDescription[]
}

export interface LevelDescription {
  readonly index: number
  readonly name: string
  /** Layers in it, in order. */
  readonly layers: readonly string[]
  /** Shape of one example behind it. */
  readonly outputShape: readonly (number | null)[]
  /** The layers whose outputs are its neurons' values, before and behind the activation. */
  readonly pre: string
  readonly post: string
  readonly groups: readonly string[]
  readonly parameters: number
}

export interface GroupDescription {
  readonly name: string
  readonly width: number
  readonly isHead: boolean
  readonly isFixed: boolean
  /** Levels that end in it; several for a residual stream, none for neurons inside of a level. */
  readonly levels: readonly string[]
  readonly weights: readonly {
    readonly weight: string
    readonly axis: number
    readonly role: Role
    /** Positions of the axis that are this group's, of all. */
    readonly positions: string
  }[]
}

/**
 * Describes a network by its own topology.
 *
 * @param model borrowed
 * @throws GraftError GRAFT_LAYER_UNSUPPORTED naming the first layer that cannot be followed
 */
export function describeNetwork(name: string, model: tf.LayersModel): NetworkDescription {
  const graph = neuronGraph(model)
  const sizes = new Map(graph.weights.map(({ name, shape }) => [name, sizeOf(shape)]))
  const nodes = graph.ops.nodes
  const parametersOf = (of: typeof nodes, isTrainable: boolean): number =>
    of
      .flatMap(({ op }) => op.weights)
      .filter((weight) => weight.isTrainable === isTrainable)
      .reduce((sum, weight) => sum + sizes.get(weight.name)!, 0)
  const [input] = model.inputs
  return {
    name,
    inputShape: input!.shape.slice(1),
    numClasses: graph.groups.find(({ isHead }) => isHead)!.width,
    parameters: parametersOf(nodes, true),
    statistics: parametersOf(nodes, false),
    levels: graph.levels.map((level, i) => {
      const to = graph.levels[i + 1]?.from ?? nodes.length
      const within = nodes.slice(level.from, to)
      return {
        index: level.index,
        name: level.name,
        layers: [...new Set(within.map(({ op }) => op.layer))],
        outputShape: outputShape(model, nodes[level.post]!.op.layer),
        pre: nodes[level.pre]!.op.layer,
        post: nodes[level.post]!.op.layer,
        groups: level.groups.map((group) => graph.groups[group]!.name),
        parameters: parametersOf(within, true),
      }
    }),
    groups: graph.groups.map((group) => ({
      name: group.name,
      width: group.width,
      isHead: group.isHead,
      isFixed: group.isFixed,
      levels: graph.levels
        .filter(({ groups }) => groups.includes(group.index))
        .map((level) => level.name),
      weights: group.axes.map(({ weight, axis, role, layout }) => ({
        weight,
        axis,
        role,
        positions: positionsText(layout, group.index, graph),
      })),
    })),
  }
}

function outputShape(model: tf.LayersModel, layer: string): (number | null)[] {
  const { outputShape } = model.getLayer(layer)
  const [first] = outputShape
  if (Array.isArray(first)) {
    const problem = `Layer ${layer} has several outputs.`
    throw new GraftError('GRAFT_LAYER_UNSUPPORTED', problem)
  }
  return (outputShape as tf.Shape).slice(1)
}

/** As in `one each`, `7 each` or `49 places`; with `of 192` where the axis has others too. */
function positionsText(layout: AxisLayout, group: number, graph: NeuronGraph): string {
  const widths = graph.groups.map(({ width }) => width)
  const own = timesIn(layout, group, widths) / widths[group]!
  const all = lengthOf(layout, widths)
  const places = layout.kind === 'repeat' ? `${own} places` : own === 1 ? 'one each' : `${own} each`
  return groupsIn(layout).length > 1 ? `${places}, of ${all}` : places
}

/** Positions of a group on an axis. */
function timesIn(layout: AxisLayout, group: number, widths: readonly number[]): number {
  switch (layout.kind) {
    case 'neurons':
      return layout.group === group ? widths[group]! * layout.each : 0
    case 'fixed':
      return 0
    case 'repeat':
      return layout.times * timesIn(layout.of, group, widths)
    case 'concat':
      return layout.parts.reduce((sum, part) => sum + timesIn(part, group, widths), 0)
  }
}
