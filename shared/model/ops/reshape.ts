import * as tf from '@tensorflow/tfjs'
import type { AxisLayout } from '../neurons.ts'
import { type Op, unsupported, weightless } from './op.ts'

/**
 * [batch, ...] -> [batch, ...target]. Neurons are followed when the last axis stays whole, gets all of the
 * map behind it, or is cut where a flattened map was.
 */
export function reshape(layer: tf.layers.Layer): Op {
  const from = (layer.input as tf.SymbolicTensor).shape.slice(1)
  const to = (layer.output as tf.SymbolicTensor).shape.slice(1)
  const keepsLast = from.at(-1) === to.at(-1)
  return {
    ...weightless(layer, 'reshape', (x) => {
      // The last axis is free: a network of another width has it longer or shorter.
      const target = keepsLast
        ? [x.shape[0], ...to.slice(0, -1), x.shape.at(-1)!]
        : [x.shape[0], ...to]
      return {
        y: tf.reshape(x, target as number[]),
        back: (dy) => tf.reshape(dy, x.shape),
      }
    }),
    trace: ([input]) => traceReshape(layer, input!, { from, to }),
  }
}

function traceReshape(
  layer: tf.layers.Layer,
  input: AxisLayout,
  { from, to }: { from: readonly (number | null)[]; to: readonly (number | null)[] },
): AxisLayout {
  if ([...from, ...to].includes(null)) throw unsupported(layer, 'reshapes what has no fixed size')
  const [before, after] = [from.at(-1)!, to.at(-1)!]
  if (before === after) return input
  if (after > before && after % before === 0 && wholePlaces(from, after / before)) {
    return { kind: 'repeat', times: after / before, of: input }
  }
  if (input.kind === 'repeat' && before / after === input.times) return input.of
  throw unsupported(layer, 'cuts neurons apart')
}

/** Whether the trailing axes before the last one multiply up to exactly `places`. */
function wholePlaces(shape: readonly (number | null)[], places: number): boolean {
  let product = 1
  for (const dim of shape.slice(0, -1).toReversed()) {
    if (product === places) break
    product *= dim!
  }
  return product === places
}
