import type { Architecture, DataShape } from '../architecture.ts'
import type { LayerSpec } from '../layer-spec.ts'

const PATCH_SIZE = 4
const HEAD_DIM = 32
/** Hidden units of a block's two dense layers, as a multiple of the width. */
const MLP_RATIO = 4

export interface VitOptions {
  /** Numbers a token; a multiple of 32, one head for each, or below it with one head. */
  readonly width: number
  /** Transformer blocks. */
  readonly depth: number
}

/**
 * A small vision transformer (Dosovitskiy et al. 2021, arXiv:2010.11929) of pre-norm blocks with GELU on
 * patches of 4x4, without a class token: the mean over all tokens is classified, as in Beyer et al. 2022,
 * arXiv:2205.01580, whose fixed positions are learnt ones here. Layers are named as timm's. With width 128,
 * depth 6, [32, 32, 3] and 10 classes 1,205,642 parameters.
 */
export function vit(
  { width, depth }: VitOptions,
  { inputShape, numClasses }: DataShape,
): Architecture {
  const layers: LayerSpec[] = [
    {
      kind: 'conv2d',
      name: 'patch_embed.proj',
      filters: width,
      kernelSize: PATCH_SIZE,
      strides: PATCH_SIZE,
      padding: 'valid',
      bias: true,
    },
    { kind: 'tokens' },
    { kind: 'position-embedding', name: 'pos_embed' },
  ]
  let before = 'pos_embed'
  for (let i = 0; i < depth; i++) {
    layers.push(...block(`blocks.${i}`, before, width))
    before = `blocks.${i}.add2`
  }
  layers.push(
    { kind: 'layer-norm', name: 'norm' },
    { kind: 'global-average-pool' },
    { kind: 'dense', name: 'head', units: numClasses, bias: true },
  )
  const name = width === 128 && depth === 6 ? 'vit' : `vit:${width}x${depth}`
  return { name, inputShape, numClasses, layers }
}

/** y = x + attn(norm1(x)), then y + fc2(gelu(fc1(norm2(y)))), for the x that layer `before` makes. */
function block(name: string, before: string, width: number): LayerSpec[] {
  const numHeads = Math.max(1, width / HEAD_DIM)
  return [
    { kind: 'layer-norm', name: `${name}.norm1`, inputs: [before] },
    {
      kind: 'self-attention',
      name: `${name}.attn`,
      numHeads,
      headDim: width / numHeads,
      units: width,
    },
    { kind: 'add', name: `${name}.add1`, inputs: [before, `${name}.attn`] },
    { kind: 'layer-norm', name: `${name}.norm2` },
    { kind: 'dense', name: `${name}.mlp.fc1`, units: MLP_RATIO * width, bias: true },
    { kind: 'gelu', name: `${name}.mlp.act` },
    { kind: 'dense', name: `${name}.mlp.fc2`, units: width, bias: true },
    { kind: 'add', name: `${name}.add2`, inputs: [`${name}.add1`, `${name}.mlp.fc2`] },
  ]
}
