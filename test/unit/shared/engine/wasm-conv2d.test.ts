import * as tf from '@tensorflow/tfjs'
import * as fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { startEngine } from '../../../../shared/engine/engine.ts'
import { expectSameAsCpu } from '../../../support/wasm-kernel.ts'

beforeAll(async () => {
  await startEngine('wasm')
})

describe('conv2DBackpropFilter', () => {
  it('should sum the input over the positions that the filter saw', () => {
    const x = tf.tensor4d([1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 3, 3, 1])
    const gradient = tf.tidy(() =>
      tf.grad((filter) => tf.conv2d(x, filter as tf.Tensor4D, 1, 'valid'))(tf.zeros([2, 2, 1, 1])),
    )
    // The 2x2 block of x that meets each filter entry: 1+2+4+5, 2+3+5+6, ...
    expect(Array.from(gradient.dataSync())).toEqual([12, 16, 24, 28])
    tf.dispose([x, gradient])
  })

  it('should agree with pure JavaScript for every shape, stride and padding', async () => {
    await fc.assert(
      fc.asyncProperty(convolution(), async (conv) => {
        const { inputShape, filterShape, dyShape, attributes } = conv
        const inputs = { x: random(inputShape), dy: random(dyShape) }
        await expectSameAsCpu('Conv2DBackpropFilter', inputs, { ...attributes, filterShape })
      }),
      { numRuns: 60 },
    )
  })
})

describe('conv2DBackpropInput', () => {
  it('should spread dy over the positions that the filter saw', () => {
    const filter = tf.tensor4d([1, 2, 3, 4], [2, 2, 1, 1])
    const gradient = tf.tidy(() =>
      tf.grad((x) => tf.conv2d(x as tf.Tensor4D, filter, 2, 'valid'))(tf.zeros([1, 5, 4, 1])),
    )
    const block = [1, 2, 1, 2, 3, 4, 3, 4]
    expect(Array.from(gradient.dataSync())).toEqual([...block, ...block, 0, 0, 0, 0])
    tf.dispose([filter, gradient])
  })

  it('should agree with pure JavaScript for every shape, stride and padding', async () => {
    await fc.assert(
      fc.asyncProperty(convolution(), async (conv) => {
        const { inputShape, filterShape, dyShape, attributes } = conv
        const inputs = { dy: random(dyShape), filter: random(filterShape) }
        await expectSameAsCpu('Conv2DBackpropInput', inputs, { ...attributes, inputShape })
      }),
      { numRuns: 60 },
    )
  })

  it('should still answer where the padding is wider than the filter', async () => {
    const inputs = { dy: random([1, 7, 7, 2]), filter: random([1, 1, 3, 2]) }
    const attributes = { strides: 1, pad: 1, dataFormat: 'NHWC', inputShape: [1, 5, 5, 3] }
    await expectSameAsCpu('Conv2DBackpropInput', inputs, attributes)
  })
})

type Shape4D = [number, number, number, number]

/** A convolution that has at least one output. */
function convolution() {
  const few = fc.integer({ min: 1, max: 3 })
  return fc
    .record({
      examples: few,
      size: fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 })),
      filter: fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 })),
      channels: fc.tuple(few, few),
      strides: fc.tuple(few, few),
      pad: fc.constantFrom<'same' | 'valid' | number>('same', 'valid', 1),
    })
    .map(({ examples, size, filter, channels: [inChannels, outChannels], strides, pad }) => {
      const inputShape: Shape4D = [examples, ...size, inChannels]
      const filterShape: Shape4D = [...filter, inChannels, outChannels]
      const rounding = typeof pad === 'number' ? 'floor' : undefined
      const info = tf.backend_util.computeConv2DInfo(
        inputShape,
        filterShape,
        strides,
        1,
        pad,
        rounding,
      )
      const attributes = { strides, pad, dataFormat: 'NHWC', dimRoundingMode: rounding }
      return { inputShape, filterShape, dyShape: info.outShape, attributes }
    })
    .filter(({ dyShape }) => dyShape.every((size) => size > 0))
}

function random(shape: number[]): tf.Tensor {
  return tf.randomUniform(
    shape,
    -1,
    1,
    'float32',
    1 + shape.reduce((sum, size) => 31 * sum + size, 7),
  )
}
