import * as tf from '@tensorflow/tfjs'
import { assertNever } from '../assert-never.ts'
import { ADAM, adamStep, MOMENTUM } from './optimizer-settings.ts'
import type {
  Optimizer,
  OptimizerSettings,
  OptimizerState,
  TrainedVariable,
} from './optimizer-settings.ts'

/**
 * Weights and moments in Float32Arrays, updated by one loop. On wasm that costs a third of Adam's dozen
 * tensor ops, though weights and gradients are copied each step.
 */
export async function createArrayOptimizer(
  variables: readonly TrainedVariable[],
  { optimizer, learningRate }: OptimizerSettings,
  state: OptimizerState,
): Promise<Optimizer> {
  const weights = await Promise.all(
    variables.map(async (variable) => Float32Array.from(await variable.read().data())),
  )
  const moments = state.moments.map((ofWeight) => ofWeight.map((moment) => moment.slice()))
  const tensors = () =>
    weights.map((weight, i) => tf.tensor(weight, variables[i]!.shape as number[], 'float32'))
  let { step } = state

  return {
    weights: tensors,
    async apply(gradients, share = 1) {
      const values = await Promise.all(gradients.map((gradient) => gradient.data<'float32'>()))
      step++
      const rate = share * learningRate
      for (const [i, gradient] of values.entries()) {
        const [first, second] = moments[i]!
        switch (optimizer) {
          case 'adam':
            updateAdam(weights[i]!, gradient, [first!, second!], adamStep(rate, step))
            break
          case 'sgd':
            updateSgd(weights[i]!, gradient, first!, rate)
            break
          case 'plain-sgd':
            updatePlainSgd(weights[i]!, gradient, rate)
            break
          default:
            assertNever(optimizer)
        }
      }
    },
    store() {
      tf.tidy(() => {
        // Copied, as on the pure JavaScript back end the tensor would go on changing with the array.
        for (const [i, tensor] of tensors().entries()) variables[i]!.write(tf.add(tensor, 0))
      })
    },
    state: async () => ({
      step,
      moments: moments.map((ofWeight) => ofWeight.map((moment) => moment.slice())),
    }),
    dispose() {
      // Nothing but arrays.
    },
  }
}

function updateAdam(
  weights: Float32Array,
  gradients: Float32Array,
  [m, v]: readonly [Float32Array, Float32Array],
  { stepSize, epsilon }: ReturnType<typeof adamStep>,
): void {
  const { beta1, beta2 } = ADAM
  for (let i = 0; i < weights.length; i++) {
    const g = gradients[i]!
    const first = beta1 * m[i]! + (1 - beta1) * g
    const second = beta2 * v[i]! + (1 - beta2) * g * g
    m[i] = first
    v[i] = second
    weights[i]! -= (stepSize * first) / (Math.sqrt(second) + epsilon)
  }
}

function updateSgd(
  weights: Float32Array,
  gradients: Float32Array,
  velocity: Float32Array,
  learningRate: number,
): void {
  for (let i = 0; i < weights.length; i++) {
    const next = MOMENTUM * velocity[i]! + gradients[i]!
    velocity[i] = next
    weights[i]! -= learningRate * next
  }
}

function updatePlainSgd(
  weights: Float32Array,
  gradients: Float32Array,
  learningRate: number,
): void {
  for (let i = 0; i < weights.length; i++) weights[i]! -= learningRate * gradients[i]!
}
