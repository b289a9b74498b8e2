import * as tf from '@tensorflow/tfjs'
import { columnSums, type Op, type OpWeight } from './op.ts'

/** y = x + b, along the last axis. */
export function addBias(layer: string, bias: OpWeight): Op {
  return {
    kind: 'bias',
    layer,
    weights: [bias],
    forward: ([x], [b]) => ({
      y: tf.add(x!, b!),
      back: (dy, needs) => ({
        dInputs: needs.inputs ? [dy] : [],
        dWeights: needs.weights ? [columnSums(dy)] : [],
      }),
    }),
    trace([input], trace) {
      trace.addAxis({ weight: bias.name, axis: 0, role: 'bias', layout: input! })
      return input!
    },
  }
}
