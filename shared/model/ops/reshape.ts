import * as tf from '@tensorflow/tfjs'
import { repeat } from '../neuron-trace.ts'
import type { AxisLayout } from '../neurons.ts'
import { type Op, weightless } from './op.ts'

/**
 * [batch, ...] -> [batch, ...target]. The new last axis has the neurons once, or again and again as a
 * flattened map has; neurons that are spread over several places must stay where they are.
 */
export function reshape(layer: tf.layers.Layer): Op {
  const from = (layer.input as tf.SymbolicTensor).shape
  const to = (layer.output as tf.SymbolicTensor).shape
  return {
    ...weightless(layer, 'reshape', (x) => ({
      // The last axis is free: in a network of other widths it is longer or shorter.
      y: tf.reshape(x, [x.shape[0], ...(to.slice(1, -1) as number[]), -1]),
      back: (dy) => tf.reshape(dy, x.shape),
    })),
    trace([input], trace) {
      const layout = traceReshape(input!, from.at(-1)!, to.at(-1)!)
      if (layout.kind === 'fixed') trace.fix(input!)
      return layout
    },
  }
}

function traceReshape(input: AxisLayout, before: number, after: number): AxisLayout {
  const [times, once] = input.kind === 'repeat' ? [input.times, input.of] : [1, input]
  // Values keep their order, so the neurons come round with this period on any last axis.
  const period = before / times
  return after % period === 0 ? repeat(once, after / period) : { kind: 'fixed', length: after }
}
