import * as tf from '@tensorflow/tfjs'

/**
 * Puts a kernel in the place of the one that tfjs registered, once: a second call changes nothing.
 *
 * @param make gets the kernel that is replaced, undefined where there is none
 */
export function replaceKernel(
  kernelName: string,
  backendName: string,
  make: (stock: tf.KernelFunc | undefined) => tf.KernelFunc,
): void {
  const stock = tf.getKernel(kernelName, backendName) as tf.KernelConfig | undefined
  if (stock !== undefined) {
    if (replacements.has(stock.kernelFunc)) return
    tf.unregisterKernel(kernelName, backendName)
  }
  const kernelFunc = make(stock?.kernelFunc)
  replacements.add(kernelFunc)
  tf.registerKernel({ kernelName, backendName, kernelFunc })
}

// tfjs keeps its kernels in a registry of the process; this only remembers which of them are ours.
const replacements = new WeakSet<tf.KernelFunc>()
