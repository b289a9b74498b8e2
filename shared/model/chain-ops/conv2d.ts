import * as tf from '@tensorflow/tfjs'
import { addBias } from './add-bias.ts'
import { columnSums, runKernel, unsupported, type ChainOp } from './chain-op.ts'

/** y = x * W + b, [batch, height, width, in] -> [batch, height', width', out]. */
export function conv2d(layer: tf.layers.Layer): ChainOp {
  const { strides, padding, dataFormat, dilationRate } = layer.getConfig()
  if (dataFormat === 'channelsFirst') throw unsupported(layer, 'wants channels first')
  if ([dilationRate].flat().some((rate) => typeof rate === 'number' && rate !== 1)) {
    throw unsupported(layer, 'is dilated')
  }
  const attributes = { strides: strides as [number, number], pad: padding as 'same' | 'valid' }
  const forward: ChainOp['forward'] = (x, [kernel, bias]) => {
    const filter = kernel as tf.Tensor4D
    return {
      y: tf.fused.conv2d({
        x: x as tf.Tensor4D,
        filter,
        ...attributes,
        ...(bias !== undefined && { bias }),
      }),
      back: (dy, needs) => ({
        ...(needs.input && {
          dx: runKernel(
            'Conv2DBackpropInput',
            { dy, filter },
            { ...attributes, dataFormat: 'NHWC', inputShape: x.shape },
          ),
        }),
        dWeights: needs.weights
          ? [
              runKernel(
                'Conv2DBackpropFilter',
                { x, dy },
                { ...attributes, dataFormat: 'NHWC', filterShape: filter.shape },
              ),
              ...(bias === undefined ? [] : [columnSums(dy)]),
            ]
          : [],
      }),
    }
  }
  const op = { kind: 'kernel', layer: layer.name, forward } as const
  const [kernel, bias] = layer.trainableWeights
  if (kernel === undefined || bias === undefined) {
    return { ...op, variables: layer.trainableWeights }
  }
  return {
    ...op,
    variables: [kernel, bias],
    apart: [{ ...op, variables: [kernel] }, addBias(layer.name, bias)],
  }
}
