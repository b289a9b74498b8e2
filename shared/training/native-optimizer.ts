import * as tf from '@tensorflow/tfjs'
import { assertNever } from '../assert-never.ts'
import type { NativeOps } from '../engine/native-ops.ts'
import { ADAM, adamStep, MOMENTUM } from './optimizer-settings.ts'
import type {
  Optimizer,
  OptimizerName,
  OptimizerSettings,
  OptimizerState,
  TrainedVariable,
} from './optimizer-settings.ts'

export interface NativeOptimizerInput extends OptimizerSettings {
  readonly variables: readonly TrainedVariable[]
  readonly state: OptimizerState
}

/** Weights and moments in TensorFlow's resource variables, updated in place by one fused op a weight. */
export function createNativeOptimizer(
  native: NativeOps,
  { variables, optimizer, learningRate, state }: NativeOptimizerInput,
): Optimizer {
  const weights = variables.map((variable) => native.createVariable(variable.read()))
  const moments = state.moments.map((ofWeight, i) =>
    ofWeight.map((moment) =>
      tf.tidy(() => {
        const value = tf.tensor(moment, variables[i]!.shape as number[], 'float32')
        return tf.keep(native.createVariable(value))
      }),
    ),
  )
  let { step } = state

  return {
    weights: () => weights.map((weight) => native.readVariable(weight)),
    async apply(gradients, share = 1) {
      step++
      tf.tidy(() => {
        const numbers = hyperparameters(optimizer, share * learningRate, step)
        for (const [i, gradient] of gradients.entries()) {
          const slots = [weights[i]!, ...moments[i]!]
          const [rate, momentum] = numbers
          switch (optimizer) {
            case 'adam':
              native.applyInPlace('ResourceApplyAdam', [...slots, ...numbers, gradient])
              break
            case 'sgd':
              native.applyInPlace('ResourceApplyMomentum', [...slots, rate!, gradient, momentum!])
              break
            case 'plain-sgd':
              native.applyInPlace('ResourceApplyGradientDescent', [...slots, rate!, gradient])
              break
            default:
              assertNever(optimizer)
          }
        }
      })
    },
    store() {
      tf.tidy(() => {
        for (const [i, weight] of weights.entries()) {
          variables[i]!.write(native.readVariable(weight))
        }
      })
    },
    state: async () => ({
      step,
      moments: await Promise.all(
        moments.map((ofWeight) =>
          Promise.all(ofWeight.map((moment) => readArray(native.readVariable(moment)))),
        ),
      ),
    }),
    dispose() {
      for (const variable of [...weights, ...moments.flat()]) native.destroyVariable(variable)
    },
  }
}

function hyperparameters(optimizer: OptimizerName, learningRate: number, t: number): tf.Scalar[] {
  if (optimizer === 'plain-sgd') return [tf.scalar(learningRate)]
  if (optimizer === 'sgd') return [learningRate, MOMENTUM].map((value) => tf.scalar(value))
  const { stepSize, epsilon } = adamStep(learningRate, t)
  // beta1_power and beta2_power are 0: the op would correct the bias in float32, `stepSize` has it already.
  return [0, 0, stepSize, ADAM.beta1, ADAM.beta2, epsilon].map((value) => tf.scalar(value))
}

async function readArray(tensor: tf.Tensor): Promise<Float32Array> {
  try {
    return Float32Array.from(await tensor.data())
  } finally {
    tensor.dispose()
  }
}
