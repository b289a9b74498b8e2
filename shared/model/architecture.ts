import { GraftError } from '../errors.ts'
import { sizeOf } from './weights.ts'

/** One layer of a sequential network. Kernels are square, images NHWC, padding as TensorFlow names it. */
export type LayerSpec =
  | {
      readonly kind: 'dense'
      readonly name: string
      readonly units: number
      readonly bias: boolean
    }
  | {
      readonly kind: 'conv2d'
      readonly name: string
      readonly filters: number
      readonly kernelSize: number
      readonly strides: number
      readonly padding: 'same' | 'valid'
      readonly bias: boolean
    }
  | { readonly kind: 'batch-norm'; readonly name: string }
  | { readonly kind: 'relu' }
  /** Window and stride are both `size`; an odd last row or column is dropped. */
  | { readonly kind: 'max-pool'; readonly size: number }
  | { readonly kind: 'flatten' }

/** A network before it has weights: what coordinator and clients agree on. */
export interface Architecture {
  /** Canonical spec: parsing it again gives this architecture, e.g. `mlp:784-512-512-512-10`. */
  readonly name: string
  /** Shape of one input, e.g. [28, 28, 1]. */
  readonly inputShape: readonly number[]
  readonly numClasses: number
  /** Input side first; the last one gives the logits, [numClasses]. */
  readonly layers: readonly LayerSpec[]
}

/** What the data decides about a network. An `ExampleSet` is one. */
export interface DataShape {
  readonly inputShape: readonly number[]
  readonly numClasses: number
}

/**
 * Reads `mlp` (three hidden layers of 512), `mlp:IN-HIDDEN-...-OUT` or `lenet`.
 * @throws GraftError GRAFT_ARCHITECTURE_INVALID for another spec, or one that doesn't fit the data
 */
export function parseArchitecture(spec: string, data: DataShape): Architecture {
  const architecture = layersOf(spec, data)
  const output = outputShapes(architecture).at(-1)
  if (output?.length !== 1 || output[0] !== data.numClasses) {
    throw invalid(`${spec} gives [${output ?? ''}], but there are ${data.numClasses} classes.`)
  }
  return architecture
}

/**
 * Shape of one example behind each layer, in the order of `layers`.
 * @throws GraftError GRAFT_ARCHITECTURE_INVALID when a layer cannot read what comes before it
 */
export function outputShapes({ name, inputShape, layers }: Architecture): (readonly number[])[] {
  let shape = inputShape
  return layers.map((layer) => {
    const output = outputShape(layer, shape)
    if (output?.every((dim) => dim >= 1) !== true) {
      throw invalid(`A ${layer.kind} layer of ${name} cannot read inputs of shape [${shape}].`)
    }
    return (shape = output)
  })
}

function outputShape(layer: LayerSpec, input: readonly number[]): readonly number[] | undefined {
  const [height, width, channels] = input
  switch (layer.kind) {
    case 'dense':
      return input.length === 1 ? [layer.units] : undefined
    case 'flatten':
      return [sizeOf(input)]
    case 'relu':
    case 'batch-norm':
      return input
    case 'conv2d':
    case 'max-pool': {
      if (height === undefined || width === undefined || channels === undefined) return undefined
      if (layer.kind === 'max-pool') {
        return [Math.floor(height / layer.size), Math.floor(width / layer.size), channels]
      }
      const { padding, kernelSize, strides, filters } = layer
      const shrink = padding === 'same' ? 0 : kernelSize - 1
      const slide = (dim: number) => Math.ceil((dim - shrink) / strides)
      return [slide(height), slide(width), filters]
    }
  }
}

function layersOf(spec: string, data: DataShape): Architecture {
  if (spec === 'lenet') return lenet(data)
  const inputs = sizeOf(data.inputShape)
  if (spec === 'mlp') return mlp([inputs, 512, 512, 512, data.numClasses], data)
  const sizes = /^mlp:[1-9]\d{0,6}(-[1-9]\d{0,6})+$/.test(spec)
    ? spec.slice('mlp:'.length).split('-').map(Number)
    : undefined
  if (sizes === undefined) throw invalid(`There is no model "${spec}".`)
  if (sizes[0] !== inputs) {
    throw invalid(
      `${spec} reads ${sizes[0] ?? 0} inputs, but an example of shape [${data.inputShape}] has ${inputs}.`,
    )
  }
  return mlp(sizes, data)
}

function mlp(sizes: readonly number[], { inputShape, numClasses }: DataShape): Architecture {
  const layers: LayerSpec[] = inputShape.length > 1 ? [{ kind: 'flatten' }] : []
  for (const [i, units] of sizes.slice(1).entries()) {
    if (i > 0) layers.push({ kind: 'relu' })
    layers.push({ kind: 'dense', name: `fc${i + 1}`, units, bias: true })
  }
  return { name: `mlp:${sizes.join('-')}`, inputShape, numClasses, layers }
}

/** LeNet-5, LeCun et al. 1998, figure 2, with ReLU and max pooling as is usual today. */
function lenet({ inputShape, numClasses }: DataShape): Architecture {
  const conv = (name: string, filters: number, padding: 'same' | 'valid'): LayerSpec => ({
    kind: 'conv2d',
    name,
    filters,
    kernelSize: 5,
    strides: 1,
    padding,
    bias: true,
  })
  const dense = (name: string, units: number): LayerSpec => ({
    kind: 'dense',
    name,
    units,
    bias: true,
  })
  const layers: LayerSpec[] = [
    conv('conv1', 6, 'same'),
    { kind: 'relu' },
    { kind: 'max-pool', size: 2 },
    conv('conv2', 16, 'valid'),
    { kind: 'relu' },
    { kind: 'max-pool', size: 2 },
    { kind: 'flatten' },
    dense('fc1', 120),
    { kind: 'relu' },
    dense('fc2', 84),
    { kind: 'relu' },
    dense('fc3', numClasses),
  ]
  return { name: 'lenet', inputShape, numClasses, layers }
}

function invalid(problem: string): GraftError {
  return new GraftError('GRAFT_ARCHITECTURE_INVALID', problem)
}
