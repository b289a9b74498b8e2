import * as tf from '@tensorflow/tfjs'
import type { AttributionPoint } from '../../shared/attribution/scorer.ts'
import { type NeuronGraph, type NeuronGroup, widthsOf } from '../../shared/model/neuron-graph.ts'
import { groupsIn, positionsOf } from '../../shared/model/neurons.ts'
import { sizeOf, type Weights } from '../../shared/model/weights.ts'
import { alignWeights, type GroupAlignment } from './align-weights.ts'
import { columnDistances } from './column-distances.ts'
import { groupActivations } from './group-activations.ts'

export interface ComparedNetwork {
  readonly weights: Weights
  /** Of the network's own widths. */
  readonly graph: NeuronGraph
}

/** Neurons of one network, ready to be compared with those of others. */
export interface ComparedNeurons {
  to(moving: ComparedNetwork): Promise<NeuronDistances>
  dispose(): void
}

export interface NeuronDistances {
  /**
   * |a_i - b_j| of a group, [moving neuron, staying neuron].
   * @param aligned what is decided for the groups before
   */
  group(group: NeuronGroup, aligned: readonly (GroupAlignment | undefined)[]): Promise<Float64Array>
  dispose(): void
}

/** @param staying the network whose neurons stay where they are */
export type Comparison = (staying: ComparedNetwork) => Promise<ComparedNeurons>

/** Neurons are alike that do alike on some examples. @param x [example, ...]; borrowed */
export function byActivations(x: tf.Tensor, point: AttributionPoint): Comparison {
  return async (staying) => {
    const there = await groupActivations(staying.graph, staying.weights, x, point)
    return {
      async to(moving) {
        const here = await groupActivations(moving.graph, moving.weights, x, point)
        return {
          group: ({ index }) => columnDistances(here[index]!, there[index]!),
          dispose: () => tf.dispose(here),
        }
      },
      dispose: () => tf.dispose([...there]),
    }
  }
}

/** Neurons are alike that are made by like weights, of inputs that are aligned already. */
export const byWeights: Comparison = async (staying) => ({
  to: async (moving) => ({
    async group({ index }, aligned) {
      const widths = { from: widthsOf(moving.graph), to: widthsOf(staying.graph) }
      const names = new Set(makersOf(staying.graph, index, aligned))
      const own = moving.weights.filter(({ name }) => names.has(name))
      const carried = alignWeights(own, moving.graph, aligned, { ...widths, side: 'readers' })
      const theirs = staying.weights.filter(({ name }) => names.has(name))
      const a = incoming(carried, moving.graph, index)
      const b = incoming(theirs, staying.graph, index)
      try {
        return await columnDistances(a, b)
      } finally {
        tf.dispose([a, b])
      }
    },
    dispose: () => undefined,
  }),
  dispose: () => undefined,
})

/** Weights that make a group's neurons of inputs that are aligned already; in a residual stream not all are. */
function makersOf(
  graph: NeuronGraph,
  index: number,
  aligned: readonly (GroupAlignment | undefined)[],
): string[] {
  const isKnown = (group: number) => aligned[group] !== undefined || graph.groups[group]!.isFixed
  return graph.groups[index]!.axes.filter(({ role }) => role === 'kernel' || role === 'embedding')
    .map(({ weight }) => weight)
    .filter((weight) =>
      graph.axes
        .get(weight)!
        .every(({ role, layout }) => role !== 'reader' || groupsIn(layout).every(isKnown)),
    )
}

/** All numbers that make each neuron, [number, neuron]; the caller owns it. */
function incoming(weights: Weights, graph: NeuronGraph, index: number): tf.Tensor2D {
  const { width } = graph.groups[index]!
  const axes = weights.map(({ name, shape, data }) => {
    const { axis, layout } = graph.axes
      .get(name)!
      .find(({ role, layout }) => role !== 'reader' && groupsIn(layout).includes(index))!
    const { group, neuron } = positionsOf(layout, widthsOf(graph))
    // A neuron may have several positions on an axis, each as often as every other neuron.
    const positions = [...group.keys()].filter((position) => group[position] === index)
    const [length, stride] = [shape[axis]!, sizeOf(shape.slice(axis + 1))]
    const each = positions.length / width
    return { data, positions, neuron, length, stride, each, rows: (data.length / length) * each }
  })
  const numRows = axes.reduce((sum, { rows }) => sum + rows, 0)
  const values = new Float32Array(numRows * width)
  let first = 0
  for (const { data, positions, neuron, length, stride, each, rows } of axes) {
    const seen = new Int32Array(width)
    for (const position of positions) {
      const column = neuron[position]!
      const occurrence = seen[column]!++
      for (let outer = 0; outer < data.length / (length * stride); outer++) {
        const from = (outer * length + position) * stride
        const row = first + (outer * each + occurrence) * stride
        for (let i = 0; i < stride; i++) values[(row + i) * width + column] = data[from + i]!
      }
    }
    first += rows
  }
  return tf.tensor2d(values, [numRows, width])
}
