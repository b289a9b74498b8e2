import * as tf from '@tensorflow/tfjs'
import { attend, mixHeads } from '../ops/self-attention.ts'

type LayerConfig = NonNullable<ConstructorParameters<typeof tf.layers.Layer>[0]>

interface SelfAttentionConfig extends LayerConfig {
  readonly numHeads: number
  /** Numbers of a query, a key and a value, each. */
  readonly headDim: number
  /** Width of the output. */
  readonly units: number
}

/** Weights that make the heads, then those that mix them, in the order of {@link attend}. */
const PARTS = ['query', 'key', 'value'] as const

/** Multi-head self-attention with biases, [batch, token, in] -> [batch, token, units]; tfjs has no such layer. */
export class SelfAttention extends tf.layers.Layer {
  static readonly className = 'SelfAttention'
  private readonly options: SelfAttentionConfig

  constructor(config: SelfAttentionConfig) {
    super(config)
    this.options = config
  }

  override build(inputShape: tf.Shape): void {
    const { numHeads, headDim, units } = this.options
    const inputs = inputShape.at(-1)!
    const zeros = tf.initializers.zeros()
    for (const part of PARTS) {
      const heads = [numHeads, headDim]
      this.addWeight(`${part}_kernel`, [inputs, ...heads], 'float32', zeros)
      this.addWeight(`${part}_bias`, heads, 'float32', zeros)
    }
    this.addWeight('output_kernel', [numHeads, headDim, units], 'float32', zeros)
    this.addWeight('output_bias', [units], 'float32', zeros)
    this.built = true
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const [x] = [inputs].flat()
    return tf.tidy(() => {
      const values = this.weights.map((weight) => weight.read())
      const heads = attend(x as tf.Tensor3D, values.slice(0, 6))
      return mixHeads(heads, values[6] as tf.Tensor3D, values[7]!)
    })
  }

  override computeOutputShape(inputShape: tf.Shape): tf.Shape {
    return [...inputShape.slice(0, -1), this.options.units]
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { numHeads, headDim, units } = this.options
    return { ...super.getConfig(), numHeads, headDim, units }
  }
}
