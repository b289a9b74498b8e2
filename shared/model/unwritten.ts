import * as tf from '@tensorflow/tfjs'
import { wasmMemory } from '../engine/wasm-memory.ts'
import { BLOCK_LENGTH } from './weight-reader.ts'
import { sizeOf } from './weights.ts'

type Initializer = ReturnType<typeof tf.initializers.zeros>

/**
 * Starts a weight that somebody writes: with zeros, but on the wasm engine one of more numbers than a block holds anything. Zeros
 * would take memory there that is never given back, for a network that may only be looked at. A model that is saved says `Zeros`,
 * which every reader knows.
 */
export function unwritten(): Initializer {
  const zeros = tf.initializers.zeros()
  const apply: Initializer['apply'] = (shape, dtype) => {
    const sizes = shape as number[]
    const memory = sizeOf(sizes) > BLOCK_LENGTH ? wasmMemory() : undefined
    return memory?.make(sizes) ?? tf.zeros(sizes, dtype)
  }
  return Object.assign(zeros, { apply })
}
