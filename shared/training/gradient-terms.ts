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
  /**
   * What SCAFFOLD corrects every gradient by, the same at each step: `+ add - subtract`. Karimireddy et al. 2020
   * (arXiv 1910.06378), Algorithm 1, line 10, where they are the control variates `c` and `c_i`.
   */
  readonly correction?: Correction | undefined
}

export interface Proximal {
  readonly mu: number
  /** Holds every trained weight; borrowed, others are not looked at. */
  readonly center: Weights
}

export interface Correction {
  /** Holds every trained weight; borrowed, as is `subtract`. */
  readonly add: Weights
  /** Absent: 0. */
  readonly subtract?: Weights | undefined
}

export interface GradientTerms {
  /**
   * Call it in `tf.tidy`.
   * @param gradients of the loss, in the order of the trained weights; borrowed
   * @param weights as they are at this step, in the same order; borrowed
   */
  add(gradients: readonly tf.Tensor[], weights: readonly tf.Tensor[]): readonly tf.Tensor[]
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
  { proximal, correction }: GradientTermOptions,
  trained: readonly NamedShape[],
): GradientTerms | null {
  const terms = [
    ...(proximal === undefined ? [] : [proximalTerm(proximal, trained)]),
    ...(correction === undefined ? [] : [correctionTerm(correction, trained)]),
  ]
  if (terms.length === 0) return null
  return {
    add: (gradients, weights) =>
      terms.reduce<readonly tf.Tensor[]>((sum, term) => term.add(sum, weights), gradients),
    dispose() {
      for (const term of terms) term.dispose()
    },
  }
}

function proximalTerm({ mu, center }: Proximal, trained: readonly NamedShape[]): GradientTerms {
  const centers = createConstants(arraysOf(center, trained), trained)
  return {
    add: (gradients, weights) =>
      gradients.map((gradient, i) => {
        const away = tf.sub(weights[i]!, centers.at(i))
        return tf.add(gradient, tf.mul(away, mu))
      }),
    dispose: centers.dispose,
  }
}

function correctionTerm(
  { add, subtract }: Correction,
  trained: readonly NamedShape[],
): GradientTerms {
  const added = arraysOf(add, trained)
  const subtracted = subtract && arraysOf(subtract, trained)
  const differences = added.map((values, w) => {
    const own = subtracted?.[w]
    return own === undefined ? values : values.map((value, i) => value - own[i]!)
  })
  const constants = createConstants(differences, trained)
  return {
    add: (gradients) => gradients.map((gradient, i) => tf.add(gradient, constants.at(i))),
    dispose: constants.dispose,
  }
}

/** [weight][element], in the order of the trained weights; the arrays are those of `weights`. */
function arraysOf(weights: Weights, trained: readonly NamedShape[]): Float32Array[] {
  const byName = new Map(weights.map((tensor) => [tensor.name, tensor]))
  return trained.map(({ name, shape }) => {
    const found = byName.get(name)
    if (found !== undefined && String(found.shape) === String(shape)) return found.data
    const given = found === undefined ? 'absent' : `[${found.shape.join()}]`
    throw new GraftError(
      'GRAFT_SHAPE_MISMATCH',
      `What is added to the gradients of ${name} is ${given}, and the weight is [${shape.join()}].`,
    )
  })
}

/** Tensors that are made when they are first asked for, and kept. */
function createConstants(arrays: readonly Float32Array[], shapes: readonly NamedShape[]) {
  const tensors: (tf.Tensor | undefined)[] = arrays.map(() => undefined)
  return {
    at: (i: number) =>
      (tensors[i] ??= tf.keep(tf.tensor(arrays[i]!, [...shapes[i]!.shape], 'float32'))),
    dispose: () => {
      for (const tensor of tensors) tensor?.dispose()
    },
  }
}
