import * as tf from '@tensorflow/tfjs'
import { averagePoolOp } from './average-pool.ts'
import { conv2dOp, windowOf } from './conv2d.ts'
import { maxPoolOp } from './max-pool.ts'
import { type Op, weightsOf } from './op.ts'

/** y = x * W + b, [batch, length, in] -> [batch, length', out]. */
export function conv1d(layer: tf.layers.Layer): Op {
  const [kernel, bias] = weightsOf(layer)
  const row = conv2dOp(layer.name, {
    kernel: kernel!,
    bias,
    filters: layer.getConfig()['filters'] as number,
    ...rowWindowOf(layer),
  })
  const asFilter: Op = {
    ...row,
    forward([x], [filter, ...others], options) {
      const { y, back } = row.forward([x!], [tf.expandDims(filter!, 0), ...others], options)
      return {
        y,
        back(dy, needs) {
          const { dInputs, dWeights } = back(dy, needs)
          const [dFilter, ...dOthers] = dWeights
          return {
            dInputs,
            dWeights: dFilter === undefined ? [] : [tf.squeeze(dFilter, [0]), ...dOthers],
          }
        },
      }
    },
    // The axes of a row's filter lie one further in.
    trace: (inputs, trace) =>
      row.trace(inputs, {
        ...trace,
        addAxis: (axis) =>
          trace.addAxis(axis.weight === kernel!.name ? { ...axis, axis: axis.axis - 1 } : axis),
      }),
  }
  return {
    ...asRow(asFilter),
    unfold: (x, kernelShape) => row.unfold!(tf.expandDims(x, 1), [1, ...kernelShape]),
  }
}

/** The largest value of each window of a row. */
export function maxPool1d(layer: tf.layers.Layer): Op {
  return asRow(maxPoolOp(layer, { size: rowSizeOf(layer), ...rowWindowOf(layer) }))
}

/** The mean of each window of a row. */
export function averagePool1d(layer: tf.layers.Layer): Op {
  return asRow(averagePoolOp(layer, { size: rowSizeOf(layer), ...rowWindowOf(layer) }))
}

function rowWindowOf(layer: tf.layers.Layer) {
  const { strides, pad } = windowOf(layer)
  return { strides: [1, strides[0]] as [number, number], pad }
}

function rowSizeOf(layer: tf.layers.Layer): [number, number] {
  const [length = 1] = [layer.getConfig()['poolSize'] as number | number[]].flat()
  return [1, length]
}

/** An op of maps, for rows: [batch, length, channel] is a map of one row. */
function asRow(op: Op): Op {
  return {
    kind: op.kind,
    layer: op.layer,
    weights: op.weights,
    forward([x], weights, options) {
      const { y, back } = op.forward([tf.expandDims(x!, 1)], weights, options)
      return {
        y: tf.squeeze(y, [1]),
        back(dy, needs) {
          const { dInputs, dWeights } = back(tf.expandDims(dy, 1), needs)
          return { dInputs: dInputs.map((dx) => tf.squeeze(dx, [1])), dWeights }
        },
      }
    },
    trace: (inputs, trace) => op.trace(inputs, trace),
  }
}
