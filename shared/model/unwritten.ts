import * as tf from '@tensorflow/tfjs'
import { wasmMemory } from '../engine/wasm-memory.ts'
import { sizeOf } from './weights.ts'

/** Smaller weights are zeros. */
const LARGE = 1 << 20

type Initializer = ReturnType<typeof tf.initializers.zeros>

/**
 * Starts a weight that somebody writes: with zeros, but on the wasm engine a large one holds anything, as zeros would take its
 * memory there, for a network that may only be looked at. A model that is saved says `Zeros`, which every reader knows.
 */
export function unwritten(): Initializer {
  const zeros = tf.initializers.zeros()
  const apply: Initializer['apply'] = (shape, dtype) => {
    const sizes = shape as number[]
    const memory = sizeOf(sizes) > LARGE ? wasmMemory() : undefined
    return memory?.make(sizes) ?? tf.zeros(sizes, dtype)
  }
  return Object.assign(zeros, { apply })
}
