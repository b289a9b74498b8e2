import type * as tf from '@tensorflow/tfjs'

/** Adam as in Kingma & Ba 2014 (arXiv:1412.6980), Algorithm 1, with the paper's constants. */
export const ADAM = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 } as const
/** Momentum of sgd: velocity = 0.9 velocity + gradient; weight -= learningRate * velocity. */
export const MOMENTUM = 0.9

/** Local training's optimisers: Adam, sgd with {@link MOMENTUM}, and weight -= learningRate * gradient alone. */
export const OPTIMIZERS = ['adam', 'sgd', 'plain-sgd'] as const
export type OptimizerName = (typeof OPTIMIZERS)[number]
export const OPTIMIZERS_USAGE = `adam, sgd with momentum ${MOMENTUM}, or plain-sgd without any`

export interface OptimizerSettings {
  readonly optimizer: OptimizerName
  readonly learningRate: number
}

/** A weight that is trained: a layer's variable, or what stands for one. */
export interface TrainedVariable {
  readonly shape: tf.Shape
  /** Borrowed. */
  read(): tf.Tensor
  /** @param value borrowed */
  write(value: tf.Tensor): unknown
}

/** All an optimiser remembers, outside of any tensor. */
export interface OptimizerState {
  /** Updates made so far. */
  readonly step: number
  /** For each weight, in order: Adam's first and second moment, sgd's velocity, or none; of the weight's size. */
  readonly moments: readonly (readonly Float32Array[])[]
}

/** Holds the weights of a model while they are trained. The model's own lag behind until `store`. */
export interface Optimizer {
  /** The weights as they are now, in the order of the variables; the caller owns the tensors. */
  weights(): tf.Tensor[]
  /**
   * Makes one update. Dispose of what `weights` gave before; the gradients are borrowed.
   * @param share of the learning rate to take, for schedules; all of it unless given
   */
  apply(gradients: readonly tf.Tensor[], share?: number): Promise<void>
  /** Writes the weights into the model's variables. */
  store(): void
  state(): Promise<OptimizerState>
  /** Frees what it holds; the model's variables stay. */
  dispose(): void
}

/**
 * Adam's step size at update t with both bias corrections in it, and the epsilon that goes with it: the
 * "more efficient order" of Kingma & Ba 2014, section 2, which is Algorithm 1 exactly when epsilon is
 * scaled too.
 */
export function adamStep(learningRate: number, t: number): { stepSize: number; epsilon: number } {
  const correction2 = Math.sqrt(1 - ADAM.beta2 ** t)
  return {
    stepSize: (learningRate * correction2) / (1 - ADAM.beta1 ** t),
    epsilon: ADAM.epsilon * correction2,
  }
}
