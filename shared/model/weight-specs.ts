import type { Architecture } from './architecture.ts'
import { layerShapes } from './layer-shapes.ts'
import type { LayerSpec } from './layer-spec.ts'
import type { NamedShape } from './weights.ts'

/**
 * The weights of an architecture in the order in which `readWeights` gives them: known without an
 * engine, so an upload can be checked before anything is built from it.
 * @throws GraftError GRAFT_ARCHITECTURE_INVALID when a layer cannot read what comes before it
 */
export function weightSpecs(architecture: Architecture): NamedShape[] {
  const shapes = layerShapes(architecture)
  return architecture.layers.flatMap((layer, i) =>
    Object.entries(weightShapes(layer, shapes[i]!.inputs[0]!)).map(([weight, shape]) => ({
      name: `${layer.name ?? ''}.${weight}`,
      shape,
    })),
  )
}

/** Shapes of a layer's weights, by name, in the order in which its tf layer has them. */
function weightShapes(
  layer: LayerSpec,
  input: readonly number[],
): Readonly<Record<string, readonly number[]>> {
  const inputs = input.at(-1) ?? 0
  switch (layer.kind) {
    case 'dense':
      return withBias(layer, [inputs, layer.units])
    case 'conv2d':
      return withBias(layer, [layer.kernelSize, layer.kernelSize, inputs, layer.filters])
    case 'batch-norm':
      return {
        gamma: [inputs],
        beta: [inputs],
        movingMean: [inputs],
        movingVariance: [inputs],
      }
    case 'layer-norm':
      return { gamma: [inputs], beta: [inputs] }
    case 'position-embedding':
      return { positions: input }
    case 'self-attention': {
      const { numHeads, headDim, units } = layer
      const [kernel, bias] = [
        [inputs, numHeads, headDim],
        [numHeads, headDim],
      ]
      return {
        ...{ queryKernel: kernel, queryBias: bias },
        ...{ keyKernel: kernel, keyBias: bias },
        ...{ valueKernel: kernel, valueBias: bias },
        ...{ outputKernel: [numHeads, headDim, units], outputBias: [units] },
      }
    }
    case 'relu':
    case 'gelu':
    case 'max-pool':
    case 'zero-pad':
    case 'flatten':
    case 'add':
    case 'global-average-pool':
    case 'tokens':
      return {}
  }
}

function withBias({ bias }: { readonly bias: boolean }, kernel: readonly number[]) {
  return bias ? { kernel, bias: kernel.slice(-1) } : { kernel }
}
