import * as tf from '@tensorflow/tfjs'
import { columnSums, type ChainOp } from './chain-op.ts'

/** y = x + b, along the last axis. */
export function addBias(layer: string, variable: tf.LayerVariable): ChainOp {
  return {
    kind: 'bias',
    layer,
    variables: [variable],
    forward: (x, [bias]) => ({
      y: tf.add(x, bias!),
      back: (dy, needs) => ({
        ...(needs.input && { dx: dy }),
        dWeights: needs.weights ? [columnSums(dy)] : [],
      }),
    }),
  }
}
