import type * as tf from '@tensorflow/tfjs'

/** One weight inside a model, under the name it has outside. */
export interface ModelVariable {
  /** `<layer>.<weight>`, as in `bn1.movingMean`. */
  readonly name: string
  /** The model owns it. */
  readonly variable: tf.LayerVariable
}

/**
 * Every weight of a model, layer by layer in the order in which the layers were made: a graph has no
 * other order that tfjs keeps.
 */
export function modelVariables(model: tf.LayersModel): ModelVariable[] {
  return model.layers
    .toSorted((a, b) => a.id - b.id)
    .flatMap((layer) => {
      const names = weightNames(layer)
      return layer.weights.map((variable, i) => ({ name: names[i]!, variable }))
    })
}

/** Finds the weights of a model by name, as they are when asked for. The model owns the tensors. */
export function modelWeights(model: tf.LayersModel): (name: string) => tf.Tensor {
  const variables = new Map(modelVariables(model).map(({ name, variable }) => [name, variable]))
  return (name) => variables.get(name)!.read()
}

/**
 * Names of a layer's weights, in its own order. Made from the layer's name rather than the variables',
 * which tfjs renames (`fc1/kernel_1`) when two models have a layer of one name.
 */
export function weightNames(layer: tf.layers.Layer): string[] {
  return layer.weights.map((variable) => `${layer.name}.${weightName(variable)}`)
}

/** The last part of `fc1/kernel` or `bn1/moving_mean`, in camel case. */
function weightName(variable: tf.LayerVariable): string {
  const snake = variable.originalName.split('/').at(-1) ?? variable.originalName
  return snake.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
}
