import * as tf from '@tensorflow/tfjs'
import { stretch } from '../neuron-trace.ts'
import type { AxisLayout } from '../neurons.ts'
import { type Op, taped, unsupported, weightsOf } from './op.ts'

/**
 * Multi-head self-attention (Vaswani et al. 2017, arXiv:1706.03762, section 3.2) as two ops: the heads,
 * each `softmax(q k' / sqrt(headDim)) v` for its own q, k, v, side by side; then one product that mixes
 * them. A head is a neuron: it is kept, moved or pruned whole.
 */
export function selfAttention(layer: tf.layers.Layer): Op[] {
  const weights = weightsOf(layer)
  const { numHeads, headDim, units } = layer.getConfig() as Record<string, number>
  const makers = weights.slice(0, 6)
  const heads = taped(
    {
      kind: 'other',
      layer: layer.name,
      weights: makers,
      trace([input], trace) {
        const made = trace.addGroup(layer.name, numHeads!)
        for (const { name } of makers) {
          if (name.endsWith('Kernel')) {
            trace.addAxis({ weight: name, axis: 0, role: 'reader', layout: input! })
            trace.addAxis({ weight: name, axis: 1, role: 'kernel', layout: made })
          } else {
            trace.addAxis({ weight: name, axis: 0, role: 'bias', layout: made })
          }
        }
        return stretch(made, headDim!)
      },
    },
    ([x], values) => attend(x as tf.Tensor3D, values),
  )
  const [kernel, bias] = weights.slice(6)
  const mix = taped(
    {
      kind: 'kernel',
      layer: layer.name,
      weights: [kernel!, bias!],
      trace([input], trace) {
        const layout = wholeHeads(layer, input!, headDim!)
        trace.addAxis({ weight: kernel!.name, axis: 0, role: 'reader', layout })
        const made = trace.addGroup(layer.name, units!)
        trace.addAxis({ weight: kernel!.name, axis: 2, role: 'kernel', layout: made })
        trace.addAxis({ weight: bias!.name, axis: 0, role: 'bias', layout: made })
        return made
      },
    },
    ([x], [w, b]) => mixHeads(x as tf.Tensor3D, w as tf.Tensor3D, b!),
  )
  return [heads, mix]
}

/**
 * What each head makes of each token.
 *
 * @param x [batch, token, in]
 * @param values query, key and value kernel, each [in, head, headDim] and followed by its bias [head, headDim]
 * @returns [batch, token, head * headDim]
 */
export function attend(x: tf.Tensor3D, values: readonly tf.Tensor[]): tf.Tensor3D {
  const [batch, tokens, inputs] = x.shape
  const [heads, headDim] = values[1]!.shape as [number, number]
  const flat = tf.reshape(x, [batch * tokens, inputs])
  const [q, k, v] = [0, 2, 4].map((i) => {
    const kernel = tf.reshape(values[i]!, [inputs, heads * headDim])
    const projected = tf.add(tf.matMul(flat, kernel), tf.reshape(values[i + 1]!, [-1]))
    // [batch, head, token, headDim]
    return tf.transpose(tf.reshape(projected, [batch, tokens, heads, headDim]), [0, 2, 1, 3])
  })
  const scores = tf.mul(tf.matMul(q!, k!, false, true), 1 / Math.sqrt(headDim))
  const mixed = tf.matMul(tf.softmax(scores), v!) // [batch, head, token, headDim]
  return tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), [batch, tokens, heads * headDim])
}

/**
 * @param x [batch, token, head * headDim]
 * @param kernel [head, headDim, out]
 * @returns [batch, token, out]
 */
export function mixHeads(x: tf.Tensor3D, kernel: tf.Tensor3D, bias: tf.Tensor): tf.Tensor3D {
  const [batch, tokens, inputs] = x.shape
  const product = tf.matMul(
    tf.reshape(x, [batch * tokens, inputs]),
    tf.reshape(kernel, [inputs, -1]),
  )
  return tf.reshape(tf.add(product, bias), [batch, tokens, -1])
}

function wholeHeads(layer: tf.layers.Layer, input: AxisLayout, headDim: number): AxisLayout {
  if (input.kind === 'neurons' && input.each % headDim === 0) {
    return { ...input, each: input.each / headDim }
  }
  throw unsupported(layer, 'mixes heads that were cut')
}
