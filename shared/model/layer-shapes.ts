import { GraftError } from '../errors.ts'
import type { Architecture } from './architecture.ts'
import { layerInputs, layerNames, type LayerSpec } from './layer-spec.ts'
import { sizeOf } from './weights.ts'

/** Shapes of one example in front of a layer and behind it. */
export interface LayerShapes {
  /** One for each layer that it reads. */
  readonly inputs: readonly (readonly number[])[]
  readonly output: readonly number[]
}

/**
 * Shapes around each layer, in the order of `layers`.
 * @throws GraftError GRAFT_ARCHITECTURE_INVALID when a layer cannot read what comes before it
 */
export function layerShapes({ name, inputShape, layers }: Architecture): LayerShapes[] {
  const reads = layerInputs(layers)
  const names = layerNames(layers)
  const shapes: LayerShapes[] = []
  for (const [i, layer] of layers.entries()) {
    const inputs = reads[i]!.map((read) => (read < 0 ? inputShape : shapes[read]!.output))
    const output = outputShape(layer, inputs)
    if (output?.every((dim) => dim >= 1) !== true) {
      const given = inputs.map((shape) => `[${shape}]`).join(' and ')
      throw new GraftError(
        'GRAFT_ARCHITECTURE_INVALID',
        `Layer ${names[i]!} (${layer.kind}) of ${name} cannot read inputs of shape ${given}.`,
      )
    }
    shapes.push({ inputs, output })
  }
  return shapes
}

/**
 * Shape of one example behind each layer, in the order of `layers`.
 * @throws GraftError GRAFT_ARCHITECTURE_INVALID when a layer cannot read what comes before it
 */
export function outputShapes(architecture: Architecture): (readonly number[])[] {
  return layerShapes(architecture).map(({ output }) => output)
}

function outputShape(
  layer: LayerSpec,
  inputs: readonly (readonly number[])[],
): readonly number[] | undefined {
  const [input = [], ...others] = inputs
  if (layer.kind === 'add') {
    return others.length > 0 && others.every((other) => sameShape(other, input)) ? input : undefined
  }
  return others.length === 0 ? unaryShape(layer, input) : undefined
}

function unaryShape(
  layer: Exclude<LayerSpec, { kind: 'add' }>,
  input: readonly number[],
): readonly number[] | undefined {
  switch (layer.kind) {
    case 'dense':
      return input.length <= 2 ? input.with(-1, layer.units) : undefined
    case 'flatten':
      return [sizeOf(input)]
    case 'relu':
    case 'gelu':
    case 'batch-norm':
    case 'layer-norm':
      return input
    case 'position-embedding':
      return input.length === 2 ? input : undefined
    case 'self-attention':
      return input.length === 2 ? input.with(-1, layer.units) : undefined
    case 'global-average-pool':
      return input.length >= 2 ? input.slice(-1) : undefined
    case 'tokens':
    case 'conv2d':
    case 'max-pool':
    case 'zero-pad':
      return input.length === 3 ? mapShape(layer, input as [number, number, number]) : undefined
  }
}

function mapShape(
  layer: Extract<LayerSpec, { kind: 'tokens' | 'conv2d' | 'max-pool' | 'zero-pad' }>,
  [height, width, channels]: readonly [number, number, number],
): readonly number[] {
  switch (layer.kind) {
    case 'tokens':
      return [height * width, channels]
    case 'max-pool':
      return [Math.floor(height / layer.size), Math.floor(width / layer.size), channels]
    case 'zero-pad':
      return [height + 2 * layer.size, width + 2 * layer.size, channels]
    case 'conv2d': {
      const { padding, kernelSize, strides, filters } = layer
      const shrink = padding === 'same' ? 0 : kernelSize - 1
      const slide = (dim: number) => Math.ceil((dim - shrink) / strides)
      return [slide(height), slide(width), filters]
    }
  }
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((dim, axis) => dim === b[axis])
}
