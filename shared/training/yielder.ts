import * as tf from '@tensorflow/tfjs'

/** Long enough to cost nothing, short enough that a socket beside it answers as if idle. */
const SLICE_MS = 10

/**
 * A function to await between pieces of work: it lets timers, sockets and signals run when the last
 * time was more than a few milliseconds ago. The clock decides only when, never what is computed.
 */
export function createYielder(): () => Promise<void> {
  let last = performance.now()
  return async () => {
    if (performance.now() - last < SLICE_MS) return
    await tf.nextFrame()
    last = performance.now()
  }
}
