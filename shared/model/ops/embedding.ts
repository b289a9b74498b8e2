import * as tf from '@tensorflow/tfjs'
import { type Op, taped, weightsOf } from './op.ts'

/** A row of a table for each index, [batch, ...] -> [batch, ..., width]. */
export function embedding(layer: tf.layers.Layer): Op {
  const [table] = weightsOf(layer)
  const { inputDim, outputDim } = layer.getConfig() as Record<string, number>
  const op = taped(
    {
      kind: 'other',
      layer: layer.name,
      weights: [table!],
      trace(_, trace) {
        const made = trace.addGroup(layer.name, outputDim!)
        trace.addAxis({ weight: table!.name, axis: 1, role: 'embedding', layout: made })
        return made
      },
    },
    ([indices], [values]) => {
      // As a product, since a gather's gradient has no kernel on wasm.
      const rows = tf.oneHot(tf.cast(tf.reshape(indices!, [-1]), 'int32'), inputDim!)
      const width = values!.shape[1]!
      return tf.reshape(tf.matMul(tf.cast(rows, 'float32'), values!), [...indices!.shape, width])
    },
  )
  return {
    ...op,
    forward(inputs, weights, options) {
      const { y, back } = op.forward(inputs, weights, options)
      // Indices have no gradient; zeros keep whoever asks for one at the input from failing.
      return {
        y,
        back: (dy, needs) => ({
          dInputs: needs.inputs ? [tf.zerosLike(inputs[0]!)] : [],
          dWeights: needs.weights ? back(dy, { inputs: false, weights: true }).dWeights : [],
        }),
      }
    },
  }
}
