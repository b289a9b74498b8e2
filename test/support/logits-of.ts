import * as tf from '@tensorflow/tfjs'
import { type OpGraph, run } from '../../shared/model/op-graph.ts'
import type { Weights } from '../../shared/model/weights.ts'

/** Logits of a network of these weights, [batch, classes]; the caller owns them. @param x borrowed */
export function logitsOf(ops: OpGraph, weights: Weights, x: tf.Tensor): tf.Tensor {
  return tf.tidy(() => {
    const tensors = new Map(
      weights.map(({ name, shape, data }) => [name, tf.tensor(data, [...shape], 'float32')]),
    )
    return run(ops, x, (name) => tensors.get(name)!)[0]!
  })
}
