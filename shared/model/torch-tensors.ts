import type { Architecture } from './architecture.ts'
import { layerShapes } from './layer-shapes.ts'
import { layerInputs } from './layer-spec.ts'
import type { AxisOrder } from './permute-axes.ts'
import { weightSpecs } from './weight-specs.ts'
import { sizeOf, type NamedShape } from './weights.ts'

/** A tensor of a PyTorch state dict, and the weights of ours that are in it. */
export interface TorchTensor {
  readonly layer: string
  /** Behind the layer's name and a dot, as in `weight`; empty for a parameter that has the layer's name. */
  readonly suffix: string
  readonly shape: readonly number[]
  /** One behind the other along its first axis. */
  readonly parts: readonly TorchPart[]
}

/** One weight of ours; `axes` are those it has in PyTorch, `spread` is its shape, a flattened map unrolled. */
export interface TorchPart extends NamedShape, AxisOrder {}

const SUFFIXES: Readonly<Record<string, string>> = {
  kernel: 'weight',
  gamma: 'weight',
  bias: 'bias',
  beta: 'bias',
  movingMean: 'running_mean',
  movingVariance: 'running_var',
  positions: '',
  // As torch.nn.MultiheadAttention has them: query, key and value in one tensor.
  queryKernel: 'in_proj_weight',
  keyKernel: 'in_proj_weight',
  valueKernel: 'in_proj_weight',
  queryBias: 'in_proj_bias',
  keyBias: 'in_proj_bias',
  valueBias: 'in_proj_bias',
  outputKernel: 'out_proj.weight',
  outputBias: 'out_proj.bias',
}

/** The state dict that PyTorch has of a network, in its order. */
export function torchTensors(architecture: Architecture): TorchTensor[] {
  const maps = flattenedMaps(architecture)
  const tensors = new Map<string, TorchTensor>()
  for (const { name, shape } of weightSpecs(architecture)) {
    const dot = name.lastIndexOf('.')
    const [layer, weight] = [name.slice(0, dot), name.slice(dot + 1)]
    const suffix = SUFFIXES[weight]!
    const order = axisOrder(weight, shape, maps.get(layer))
    const part = { name, shape, ...order }
    const before = tensors.get(`${layer}.${suffix}`)
    const added = torchShape(weight, part)
    tensors.set(`${layer}.${suffix}`, {
      layer,
      suffix,
      shape: before === undefined ? added : added.with(0, before.shape[0]! + added[0]!),
      parts: [...(before?.parts ?? []), part],
    })
  }
  return [...tensors.values()]
}

/** `fc1.weight`, or `pos_embed` for a parameter without a suffix. */
export function torchName({ layer, suffix }: Pick<TorchTensor, 'layer' | 'suffix'>): string {
  return suffix === '' ? layer : `${layer}.${suffix}`
}

/** @param map shape of the map that the layer reads flattened, which PyTorch numbers channels first */
function axisOrder(
  weight: string,
  shape: readonly number[],
  map: readonly number[] | undefined,
): AxisOrder {
  switch (weight) {
    case 'kernel':
      if (map !== undefined) return { spread: [...map, shape[1]!], axes: [3, 2, 0, 1] }
      return { spread: shape, axes: shape.length === 4 ? [3, 2, 0, 1] : [1, 0] }
    case 'queryKernel':
    case 'keyKernel':
    case 'valueKernel':
      return { spread: shape, axes: [1, 2, 0] }
    case 'outputKernel':
      return { spread: shape, axes: [2, 0, 1] }
    case 'bias':
    case 'positions':
      return { spread: shape, axes: [...shape.keys()] }
    default:
      // What normalises a flattened map has its channels first too.
      if (map !== undefined) return { spread: map, axes: [2, 0, 1] }
      return { spread: shape, axes: [...shape.keys()] }
  }
}

function torchShape(weight: string, { shape, spread, axes }: TorchPart): readonly number[] {
  const permuted = axes.map((axis) => spread[axis]!)
  switch (weight) {
    case 'kernel':
      return shape.length === 4 ? permuted : shape.toReversed()
    case 'queryKernel':
    case 'keyKernel':
    case 'valueKernel':
      return [sizeOf(shape.slice(1)), shape[0]!]
    case 'outputKernel':
      return [shape[2]!, sizeOf(shape.slice(0, -1))]
    case 'positions':
      return [1, ...shape]
    default:
      return [sizeOf(shape)]
  }
}

/** Shape [height, width, channels] of the map that a layer reads flattened, by the layer's name. */
function flattenedMaps(architecture: Architecture): Map<string, readonly number[]> {
  const shapes = layerShapes(architecture)
  const reads = layerInputs(architecture.layers)
  const read = new Map<string, readonly number[]>()
  /** The map whose flattened order the output of a layer has. */
  const made: (readonly number[] | undefined)[] = []
  for (const [i, { kind, name }] of architecture.layers.entries()) {
    const input = shapes[i]!.inputs[0]!
    const map = made[reads[i]![0]!]
    if (map !== undefined && name !== undefined) read.set(name, map)
    if (kind === 'flatten' && input.length === 3) made.push(input)
    else made.push(kind === 'dense' ? undefined : map)
  }
  return read
}
