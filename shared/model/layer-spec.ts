/** One layer of a network. Kernels are square, images NHWC, padding as TensorFlow names it. */
export type LayerSpec = Reads & (WeightedSpec | WeightlessSpec)

interface Reads {
  /**
   * Names of the layers it reads, each of them earlier; `input` is the network's input.
   * @default the layer before it
   */
  readonly inputs?: readonly string[]
}

/** A layer with weights has a name, as its weights are called `<layer>.<weight>`. */
type WeightedSpec = { readonly name: string } & (
  | { readonly kind: 'dense'; readonly units: number; readonly bias: boolean }
  | {
      readonly kind: 'conv2d'
      readonly filters: number
      readonly kernelSize: number
      readonly strides: number
      readonly padding: 'same' | 'valid'
      readonly bias: boolean
    }
  | { readonly kind: 'batch-norm' }
  /** Over the last axis of each position. */
  | { readonly kind: 'layer-norm' }
  /** Adds a learnt vector to each token, by its place. */
  | { readonly kind: 'position-embedding' }
  /** [token, in] -> [token, units], with biases; a query, a key and a value have `headDim` numbers each. */
  | {
      readonly kind: 'self-attention'
      readonly numHeads: number
      readonly headDim: number
      readonly units: number
    }
)

type WeightlessSpec = {
  /** @default `<kind>_<index>` */
  readonly name?: string
} & (
  | { readonly kind: 'relu' | 'gelu' | 'flatten' }
  /** Window and stride are both `size`; an odd last row or column is dropped. */
  | { readonly kind: 'max-pool'; readonly size: number }
  /** `size` rows and columns of zeros on each side. */
  | { readonly kind: 'zero-pad'; readonly size: number }
  /** Sum of two or more maps of one shape. */
  | { readonly kind: 'add' }
  /** The mean over all places, [..., channel] -> [channel]. */
  | { readonly kind: 'global-average-pool' }
  /** [height, width, channel] -> [token, channel], row by row. */
  | { readonly kind: 'tokens' }
)

/** What {@link LayerSpec} calls the input of the network. */
export const INPUT_NAME = 'input'

/** Name of each layer, its own or one by its place. */
export function layerNames(layers: readonly LayerSpec[]): string[] {
  return layers.map(({ kind, name }, i) => name ?? `${kind.replaceAll('-', '_')}_${i}`)
}

/**
 * For each layer the layers that it reads, by index; -1 is the network's input.
 * @throws RangeError when a name is given twice, or a layer reads one that does not come before it
 */
export function layerInputs(layers: readonly LayerSpec[]): (readonly number[])[] {
  const indices = new Map([[INPUT_NAME, -1]])
  const names = layerNames(layers)
  return layers.map(({ inputs }, i) => {
    const read = inputs?.map((name) => {
      const index = indices.get(name)
      if (index === undefined) throw new RangeError(`no layer before ${names[i]!} is named ${name}`)
      return index
    })
    if (indices.has(names[i]!)) throw new RangeError(`two layers are named ${names[i]!}`)
    indices.set(names[i]!, i)
    return read ?? [i - 1]
  })
}
