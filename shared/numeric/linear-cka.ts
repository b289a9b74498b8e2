import * as tf from '@tensorflow/tfjs'

/** How alike examples are to each other by some features: a centred Gram matrix of norm 1, [n * n]. */
export type Likeness = Float64Array

/**
 * @param features [example, ...], at least one example; borrowed
 * @returns null where every example has the same features
 */
export async function likenessOf(features: tf.Tensor): Promise<Likeness | null> {
  const numExamples = features.shape[0]
  const gram = tf.tidy(() => {
    const x = tf.reshape(features, [numExamples, -1])
    const centred = tf.sub(x, tf.mean(x, 0, true))
    // Float32 holds squares of up to 1e38 only.
    const largest = tf.maximum(tf.max(tf.abs(centred)), Number.MIN_VALUE)
    const scaled = tf.where(tf.greater(largest, 0), tf.div(centred, largest), centred)
    return tf.matMul(scaled, scaled, false, true)
  })
  try {
    const values = Float64Array.from(await gram.data())
    const norm = Math.sqrt(dot(values, values))
    return norm > 0 ? values.map((value) => value / norm) : null
  } finally {
    gram.dispose()
  }
}

/**
 * Linear centred kernel alignment of two sets of features of the same examples: 1 where one is the other,
 * turned and scaled as a whole, near 0 where they have nothing in common. Kornblith et al. 2019
 * (arXiv 1905.00414), equation 2 with linear kernels: `<K, L> / (|K| |L|)` of the centred Gram matrices.
 *
 * @returns null where one of them does not tell examples apart
 * @throws RangeError for features of different numbers of examples
 */
export function linearCka(a: Likeness | null, b: Likeness | null): number | null {
  if (a === null || b === null) return null
  if (a.length !== b.length) {
    throw new RangeError(`Likenesses of ${a.length} and ${b.length} pairs of examples don't mix.`)
  }
  return Math.min(1, Math.max(0, dot(a, b)))
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}
