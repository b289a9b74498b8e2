import * as tf from '@tensorflow/tfjs'

/** Adds a learnt vector to each token by its place, [batch, ..., width]; tfjs has no such layer. */
export class PositionEmbedding extends tf.layers.Layer {
  static readonly className = 'PositionEmbedding'

  override build(inputShape: tf.Shape): void {
    const shape = inputShape.slice(1) as number[]
    this.addWeight('positions', shape, 'float32', tf.initializers.zeros())
    this.built = true
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const [x] = [inputs].flat()
    return tf.tidy(() => tf.add(x!, this.weights[0]!.read()))
  }
}
