import type * as tf from '@tensorflow/tfjs'

/** One weight inside a model, under the name it has outside. */
export interface ModelVariable {
  /** `<layer>.<weight>`, as in `bn1.movingMean`. */
  readonly name: string
  /** The model owns it. */
  readonly variable: tf.LayerVariable
}

/**
 * Every weight of a model, in the order of its layers. Named after the layers rather than the
 * variables, which tfjs renames (`fc1/kernel_1`) when two models have a layer of one name.
 */
export function modelVariables(model: tf.LayersModel): ModelVariable[] {
  return model.layers.flatMap((layer) =>
    layer.weights.map((variable) => ({ name: `${layer.name}.${weightName(variable)}`, variable })),
  )
}

/** The last part of `fc1/kernel` or `bn1/moving_mean`, in camel case. */
function weightName(variable: tf.LayerVariable): string {
  const snake = variable.originalName.split('/').at(-1) ?? variable.originalName
  return snake.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
}
