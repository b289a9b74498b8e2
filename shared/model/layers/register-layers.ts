import * as tf from '@tensorflow/tfjs'
import { PositionEmbedding } from './position-embedding.ts'
import { SelfAttention } from './self-attention.ts'

/**
 * Makes our layers known to TensorFlow.js, so that a saved topology may name them. Once more does nothing;
 * not done on import, which must change nothing for a program that takes Graft as a library.
 */
export function registerLayers(): void {
  tf.serialization.registerClass(PositionEmbedding)
  tf.serialization.registerClass(SelfAttention)
}
