import * as tf from '@tensorflow/tfjs'
import { GraftError } from '../../shared/errors.ts'
import type { WeightSource } from '../../shared/model/op-graph.ts'
import type { NamedTensor, Weights } from '../../shared/model/weights.ts'

/** Weights of one network on the engine, which whoever made them disposes of. */
export interface EngineWeights {
  readonly source: WeightSource
  /** Puts another value in the place of a weight's; the tensor is owned from then on. */
  set(name: string, value: tf.Tensor): void
  /** Copies all weights out, in the order in which they came. */
  read(): Promise<NamedTensor[]>
  dispose(): void
}

/** Copies weights to the engine. */
export function toEngine(weights: Weights): EngineWeights {
  const tensors = new Map(
    weights.map(({ name, shape, data }) => [
      name,
      // A tensor of the pure JavaScript back end is the array it was made from, hence the copy.
      tf.keep(tf.tensor(data.slice(), [...shape], 'float32')),
    ]),
  )
  return {
    source(name) {
      const tensor = tensors.get(name)
      if (tensor !== undefined) return tensor
      throw new GraftError('GRAFT_SHAPE_MISMATCH', `The network lacks the weight ${name}.`)
    },
    set(name, value) {
      tensors.get(name)?.dispose()
      tensors.set(name, tf.keep(value))
    },
    read: () =>
      Promise.all(
        [...tensors].map(async ([name, tensor]) => ({
          name,
          shape: tensor.shape,
          data: Float32Array.from(await tensor.data()),
        })),
      ),
    dispose: () => tf.dispose([...tensors.values()]),
  }
}
