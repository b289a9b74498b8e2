import * as tf from '@tensorflow/tfjs'
import { concatOf } from '../neuron-trace.ts'
import { type Op, unsupported } from './op.ts'

/** Sum of several maps of one shape, as at the end of a residual block. */
export function add(layer: tf.layers.Layer): Op {
  assertEqualShapes(layer)
  return {
    kind: 'add',
    layer: layer.name,
    weights: [],
    forward: (inputs) => ({
      y: inputs.length === 2 ? tf.add(inputs[0]!, inputs[1]!) : tf.addN([...inputs]),
      back: (dy, needs) => ({ dInputs: needs.inputs ? inputs.map(() => dy) : [], dWeights: [] }),
    }),
    trace: (inputs, trace) => inputs.reduce((a, b) => trace.unify(a, b, layer.name)),
  }
}

/** Product of several maps, place by place; a map of one place counts for all, as a gate does. */
export function multiply(layer: tf.layers.Layer): Op {
  const run = (...inputs: tf.Tensor[]) => {
    const rank = Math.max(...inputs.map((input) => input.rank))
    return inputs.map((input) => ofRank(input, rank)).reduce((a, b) => tf.mul(a, b))
  }
  return {
    kind: 'other',
    layer: layer.name,
    weights: [],
    forward: (inputs) => ({
      y: run(...inputs),
      back: (dy, needs) => ({
        dInputs: needs.inputs ? tf.grads(run)([...inputs], dy) : [],
        dWeights: [],
      }),
    }),
    trace: (inputs, trace) => inputs.reduce((a, b) => trace.unify(a, b, layer.name)),
  }
}

/** Several maps side by side, along the last axis. */
export function concatenate(layer: tf.layers.Layer): Op {
  const shapes = (layer.input as tf.SymbolicTensor[]).map(({ shape }) => shape)
  const axis = layer.getConfig()['axis'] as number
  const last = shapes[0]!.length - 1
  if (axis !== -1 && axis !== last) throw unsupported(layer, 'does not join along the last axis')
  return {
    kind: 'other',
    layer: layer.name,
    weights: [],
    forward: (inputs) => ({
      y: tf.concat([...inputs], last),
      back: (dy, needs) => ({
        dInputs: needs.inputs
          ? tf.split(
              dy,
              inputs.map(({ shape }) => shape[last]!),
              last,
            )
          : [],
        dWeights: [],
      }),
    }),
    trace: (inputs) => concatOf(inputs),
  }
}

/** [batch, channel] -> [batch, 1, 1, channel], as tfjs's layer has it. */
function ofRank(x: tf.Tensor, rank: number): tf.Tensor {
  const [batch, ...others] = x.shape
  return x.rank === rank
    ? x
    : tf.reshape(x, [batch, ...Array<number>(rank - x.rank).fill(1), ...others])
}

function assertEqualShapes(layer: tf.layers.Layer): void {
  const [first, ...others] = (layer.input as tf.SymbolicTensor[]).map(({ shape }) => String(shape))
  if (others.some((shape) => shape !== first)) throw unsupported(layer, 'adds maps of two shapes')
}
