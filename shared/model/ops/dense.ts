import * as tf from '@tensorflow/tfjs'
import { columnSums, type Op, type OpWeight, weightsOf } from './op.ts'

/** y = x W + b, [batch, ..., in] -> [batch, ..., out]. */
export function dense(layer: tf.layers.Layer): Op {
  const [kernel, bias] = weightsOf(layer)
  const units = layer.getConfig()['units'] as number
  return denseOp(layer.name, { kernel: kernel!, bias, units })
}

/** The same for a layer that has more than this one product in it. */
export function denseOp(
  layer: string,
  { kernel, bias, units }: { kernel: OpWeight; bias: OpWeight | undefined; units: number },
): Op {
  return {
    kind: 'kernel',
    layer,
    weights: bias === undefined ? [kernel] : [kernel, bias],
    unfold: (x) => tf.reshape(x, [-1, x.shape.at(-1)!]),
    forward([input], [w, b]) {
      const x = asMatrix(input!)
      const product = tf.matMul(x, w as tf.Tensor2D)
      const y = b === undefined ? product : tf.add(product, b)
      const shape = input!.shape.with(-1, w!.shape[1]!)
      return {
        y: shape.length === 2 ? y : tf.reshape(y, shape),
        back(gradient, needs) {
          const dy = asMatrix(gradient)
          const dx = () => tf.reshape(tf.matMul(dy, w!, false, true), input!.shape)
          return {
            dInputs: needs.inputs ? [dx()] : [],
            dWeights: needs.weights
              ? [tf.matMul(x, dy, true, false), ...(b === undefined ? [] : [columnSums(dy)])]
              : [],
          }
        },
      }
    },
    trace([input], trace) {
      trace.addAxis({ weight: kernel.name, axis: 0, role: 'reader', layout: input! })
      const made = trace.addGroup(layer, units)
      trace.addAxis({ weight: kernel.name, axis: 1, role: 'kernel', layout: made })
      if (bias !== undefined) {
        trace.addAxis({ weight: bias.name, axis: 0, role: 'bias', layout: made })
      }
      return made
    },
  }
}

function asMatrix(x: tf.Tensor): tf.Tensor2D {
  return x.rank === 2 ? (x as tf.Tensor2D) : tf.reshape(x, [-1, x.shape.at(-1)!])
}
