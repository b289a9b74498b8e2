import { GraftError } from '../errors.ts'
import { outputShapes, type Architecture } from './architecture.ts'
import { weightSpecs } from './weight-specs.ts'
import { assertSameShapes, sizeOf, type NamedTensor, type Weights } from './weights.ts'

const TORCH_NAMES = {
  kernel: 'weight',
  gamma: 'weight',
  bias: 'bias',
  beta: 'bias',
  movingMean: 'running_mean',
  movingVariance: 'running_var',
} as const satisfies Record<string, string>

/**
 * Weights as PyTorch stores them -> ours: Linear [out, in] -> [in, out], Conv2d [out, in, kh, kw] ->
 * [kh, kw, in, out]; and the first dense kernel behind a flattened map, whose inputs PyTorch numbers
 * channel, row, column, gets them in the order row, column, channel.
 *
 * Layers are matched by name; when the names are others, in the natural order of the file's.
 *
 * @param tensors borrowed; `<layer>.weight`, `.bias`, `.running_mean`, `.running_var`
 * @returns fresh arrays, in the order of `weightSpecs`
 * @throws GraftError GRAFT_SHAPE_MISMATCH when the tensors are not those of the architecture
 */
export function fromTorch(tensors: readonly NamedTensor[], architecture: Architecture): Weights {
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]))
  const layouts = layoutsOf(architecture)
  const names = fileNames([...byName.keys()], architecture)
  if (tensors.length !== layouts.length) {
    throw new GraftError(
      'GRAFT_SHAPE_MISMATCH',
      `The file has ${tensors.length} tensors, ${architecture.name} has ${layouts.length}.`,
    )
  }
  return layouts.map((layout) => {
    const name = `${names.get(layout.layer) ?? layout.layer}.${layout.torchName}`
    const tensor = byName.get(name)
    assertSameShapes(tensor === undefined ? [] : [tensor], [{ name, shape: layout.torchShape }])
    return { name: layout.name, shape: layout.shape, data: permute(tensor!.data, layout, 'ours') }
  })
}

/** The way back of {@link fromTorch}. @throws GraftError GRAFT_SHAPE_MISMATCH for other weights */
export function toTorch(weights: Weights, architecture: Architecture): NamedTensor[] {
  const layouts = layoutsOf(architecture)
  assertSameShapes(weights, layouts)
  return layouts.map((layout, i) => ({
    name: `${layout.layer}.${layout.torchName}`,
    shape: layout.torchShape,
    data: permute(weights[i]!.data, layout, 'torch'),
  }))
}

interface Layout {
  readonly name: string
  readonly shape: readonly number[]
  readonly layer: string
  readonly torchName: string
  readonly torchShape: readonly number[]
  /** Our shape with a flattened input axis spread out, and for each torch axis the axis of it. */
  readonly spread: readonly number[]
  readonly axes: readonly number[]
}

function layoutsOf(architecture: Architecture): Layout[] {
  const maps = flattenedMaps(architecture)
  return weightSpecs(architecture).map(({ name, shape }) => {
    const dot = name.lastIndexOf('.')
    const layer = name.slice(0, dot)
    const torchName = TORCH_NAMES[name.slice(dot + 1) as keyof typeof TORCH_NAMES]
    const map = maps.get(layer)
    const common = { name, shape, layer, torchName }
    if (shape.length === 4) {
      const axes = [3, 2, 0, 1]
      return { ...common, torchShape: axes.map((axis) => shape[axis]!), spread: shape, axes }
    }
    if (shape.length === 1) return { ...common, torchShape: shape, spread: shape, axes: [0] }
    const torchShape = [...shape].reverse()
    return map === undefined
      ? { ...common, torchShape, spread: shape, axes: [1, 0] }
      : { ...common, torchShape, spread: [...map, shape[1]!], axes: [3, 2, 0, 1] }
  })
}

/** Shape [height, width, channels] of the map that a dense layer reads flattened, by layer. */
function flattenedMaps(architecture: Architecture): Map<string, readonly number[]> {
  const shapes = [architecture.inputShape, ...outputShapes(architecture)]
  const maps = new Map<string, readonly number[]>()
  let map: readonly number[] | undefined
  for (const [i, layer] of architecture.layers.entries()) {
    if (layer.kind === 'flatten' && shapes[i]?.length === 3) map = shapes[i]
    if (layer.kind !== 'dense') continue
    if (map !== undefined) maps.set(layer.name, map)
    map = undefined
  }
  return maps
}

function permute(source: Float32Array, layout: Layout, into: 'ours' | 'torch'): Float32Array {
  const { spread, axes } = layout
  const strides = spread.map((_, axis) => sizeOf(spread.slice(axis + 1)))
  const dims = axes.map((axis) => spread[axis]!)
  const steps = axes.map((axis) => strides[axis]!)
  const target = new Float32Array(source.length)
  const index = dims.map(() => 0)
  let ours = 0
  for (let torch = 0; torch < source.length; torch++) {
    if (into === 'ours') target[ours] = source[torch]!
    else target[torch] = source[ours]!
    // Counts up like an odometer, last axis fastest.
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      ours += steps[axis]!
      index[axis]! += 1
      if (index[axis]! < dims[axis]!) break
      ours -= steps[axis]! * dims[axis]!
      index[axis] = 0
    }
  }
  return target
}

/** For each layer the name that the file has for it. */
function fileNames(names: readonly string[], architecture: Architecture): Map<string, string> {
  const layers = [...new Set(weightSpecs(architecture).map(({ name }) => prefixOf(name)))]
  const given = [...new Set(names.map(prefixOf))]
  if (layers.every((layer) => given.includes(layer))) return new Map()
  const natural = given.sort(new Intl.Collator('en', { numeric: true }).compare)
  return new Map(layers.map((layer, i) => [layer, natural[i] ?? layer]))
}

const prefixOf = (name: string) => name.slice(0, Math.max(0, name.lastIndexOf('.')))
