import * as tf from '@tensorflow/tfjs'
import { type Op, weightsOf } from './op.ts'

/** A row of a table for each index, [batch, ...] -> [batch, ..., width]. */
export function embedding(layer: tf.layers.Layer): Op {
  const [table] = weightsOf(layer)
  const { outputDim } = layer.getConfig() as { outputDim: number }
  return {
    kind: 'other',
    layer: layer.name,
    weights: [table!],
    forward([input], [rows]) {
      const indices = tf.cast(input!, 'int32')
      return {
        y: tf.gather(rows!, indices),
        back: (dy, needs) => ({
          // Indices have no gradient; zeros keep whoever asks for one at the input from failing.
          dInputs: needs.inputs ? [tf.zerosLike(input!)] : [],
          dWeights: needs.weights ? [scatter(dy, indices, rows!.shape)] : [],
        }),
      }
    },
    trace(_, trace) {
      const made = trace.addGroup(layer.name, outputDim)
      trace.addAxis({ weight: table!.name, axis: 1, role: 'embedding', layout: made })
      return made
    },
  }
}

/** Sums by row. Not tfjs's gradient of a gather, for which wasm has no kernel. */
function scatter(dy: tf.Tensor, indices: tf.Tensor, shape: readonly number[]): tf.Tensor {
  const rows = tf.reshape(dy, [indices.size, shape[1]!])
  return tf.scatterND(tf.reshape(indices, [indices.size, 1]), rows, [...shape])
}
