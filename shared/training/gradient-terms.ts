import * as tf from '@tensorflow/tfjs'
import { GraftError } from '../errors.ts'
import type { NamedShape, Weights } from '../model/weights.ts'

/** What a federation adds to the gradient of every trained weight, beside that of the loss. */
export interface GradientTermOptions {
  /**
   * The proximal term of FedProx, `mu/2 |w - center|^2` beside the loss, so `mu (w - center)` in the gradient.
   * Li et al. 2020 (arXiv 1812.06127), equation 2.
   */
  readonly proximal?: Proximal | undefined
}

export interface Proximal {
  readonly mu: number
  /** Holds every trained weight; borrowed, others are not looked at. */
  readonly center: Weights
}

export interface GradientTerms {
  /**
   * Call it in `tf.tidy`.
   * @param gradients of the loss, in the order of the trained weights; borrowed
   * @param weights as they are at this step, in the same order; borrowed
   */
  add(gradients: readonly tf.Tensor[], weights: readonly tf.Tensor[]): tf.Tensor[]
  dispose(): void
}

/**
 * Terms that are computed on the engine, whichever optimiser takes the sum. Makes no tensor before the first
 * `add`.
 *
 * @param trained shapes of the weights that are trained, by name
 * @returns null when there is nothing to add
 * @throws GraftError GRAFT_SHAPE_MISMATCH for a trained weight that `options` lacks or has in another shape
 */
export function createGradientTerms(
  { proximal }: GradientTermOptions,
  trained: readonly NamedShape[],
): GradientTerms | null {
  if (proximal === undefined) return null
  const { mu } = proximal
  const center = createConstants(proximal.center, trained)
  return {
    add: (gradients, weights) =>
      gradients.map((gradient, i) => {
        const away = tf.sub(weights[i]!, center.at(i))
        return tf.add(gradient, tf.mul(away, mu))
      }),
    dispose: center.dispose,
  }
}

/** Tensors that are made when they are first asked for, and kept. */
function createConstants(weights: Weights, trained: readonly NamedShape[]) {
  const byName = new Map(weights.map((tensor) => [tensor.name, tensor]))
  const arrays = trained.map(({ name, shape }) => {
    const found = byName.get(name)
    if (found !== undefined && String(found.shape) === String(shape)) return found.data
    const given = found === undefined ? 'absent' : `[${found.shape.join()}]`
    throw new GraftError(
      'GRAFT_SHAPE_MISMATCH',
      `What is added to the gradients of ${name} is ${given}, and the weight is [${shape.join()}].`,
    )
  })
  const tensors: (tf.Tensor | undefined)[] = arrays.map(() => undefined)
  return {
    at: (i: number) =>
      (tensors[i] ??= tf.keep(tf.tensor(arrays[i]!, [...trained[i]!.shape], 'float32'))),
    dispose: () => {
      for (const tensor of tensors) tensor?.dispose()
    },
  }
}
