import * as tf from '@tensorflow/tfjs'
import { attributionPoints } from '../../shared/attribution/attribution-points.ts'
import type { AttributionPoint } from '../../shared/attribution/scorer.ts'
import type { NeuronGraph } from '../../shared/model/neuron-graph.ts'
import { positionsOf } from '../../shared/model/neurons.ts'
import { run } from '../../shared/model/op-graph.ts'
import type { Weights } from '../../shared/model/weights.ts'
import { toEngine } from './engine-weights.ts'
import { runInBatches } from './level-walk.ts'

/**
 * Runs a network and reads every group: where neurons are made, or behind their activation. Groups of a
 * residual stream are read at every level, one below the other.
 *
 * @param graph of this network's widths
 * @param x [example, ...]; borrowed
 * @returns [group], each [row, neuron]; the caller owns them
 */
export async function groupActivations(
  graph: NeuronGraph,
  weights: Weights,
  x: tf.Tensor,
  point: AttributionPoint,
): Promise<tf.Tensor2D[]> {
  const points = attributionPoints(graph, point)
  const nodes = [...new Set(points.flat())].sort((a, b) => a - b)
  const onEngine = toEngine(weights)
  try {
    const outputs = await runInBatches(x, (batch) => run(graph.ops, batch, onEngine.source, nodes))
    try {
      return tf.tidy<tf.Tensor2D[]>(() =>
        points.map((read, group) =>
          tf.concat(
            read.map((node) => columnsOf(graph, group, node, outputs[nodes.indexOf(node)]!)),
          ),
        ),
      )
    } finally {
      tf.dispose(outputs)
    }
  } finally {
    onEngine.dispose()
  }
}

/** The positions of one group's neurons in a node's output, [row * each, neuron]. */
function columnsOf(
  graph: NeuronGraph,
  group: number,
  node: number,
  output: tf.Tensor,
): tf.Tensor2D {
  const layout = graph.layouts[node]!
  const rows = tf.reshape<tf.Rank.R2>(output, [-1, output.shape.at(-1)!])
  if (layout.kind === 'neurons' && layout.each === 1) return rows
  const positions = positionsOf(
    layout,
    graph.groups.map(({ width }) => width),
  )
  const { width } = graph.groups[group]!
  const places = Array.from(positions.group.keys()).filter((at) => positions.group[at] === group)
  const each = places.length / width
  // [each, neuron]: the nth position of every neuron makes a row of its own.
  const byNeuron = Array.from({ length: width }, (_, neuron) =>
    places.filter((at) => positions.neuron[at] === neuron),
  )
  const blocks = Array.from({ length: each }, (_, nth) =>
    tf.gather(
      rows,
      tf.tensor1d(
        byNeuron.map((own) => own[nth]!),
        'int32',
      ),
      1,
    ),
  )
  return tf.concat(blocks)
}
