import * as tf from '@tensorflow/tfjs'
import { type Op, weightsOf } from './op.ts'

/** Adds a learnt vector to each token by its place, [batch, ..., width]. */
export function positionEmbedding(layer: tf.layers.Layer): Op {
  const [positions] = weightsOf(layer)
  const axis = layer.weights[0]!.shape.length - 1
  return {
    kind: 'bias',
    layer: layer.name,
    weights: [positions!],
    forward: ([x], [values]) => ({
      y: tf.add(x!, values!),
      back: (dy, needs) => ({
        dInputs: needs.inputs ? [dy] : [],
        dWeights: needs.weights ? [tf.sum(dy, 0)] : [],
      }),
    }),
    trace([input], trace) {
      trace.addAxis({ weight: positions!.name, axis, role: 'bias', layout: input! })
      return input!
    },
  }
}
