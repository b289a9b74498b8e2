import { outputShapes, type Architecture } from './architecture.ts'
import type { NamedShape } from './weights.ts'

/**
 * The weights of an architecture in the order in which `readWeights` gives them: known without an
 * engine, so an upload can be checked before anything is built from it.
 * @throws GraftError GRAFT_ARCHITECTURE_INVALID when a layer cannot read what comes before it
 */
export function weightSpecs(architecture: Architecture): NamedShape[] {
  const shapes = outputShapes(architecture)
  return architecture.layers.flatMap((layer, i) => {
    const inputs = (i === 0 ? architecture.inputShape : shapes[i - 1])?.at(-1) ?? 0
    switch (layer.kind) {
      case 'dense':
        return withBias(layer, [inputs, layer.units])
      case 'conv2d':
        return withBias(layer, [layer.kernelSize, layer.kernelSize, inputs, layer.filters])
      case 'batch-norm':
        return ['gamma', 'beta', 'movingMean', 'movingVariance'].map((weight) => ({
          name: `${layer.name}.${weight}`,
          shape: [inputs],
        }))
      case 'relu':
      case 'max-pool':
      case 'flatten':
        return []
    }
  })
}

function withBias(
  { name, bias }: { readonly name: string; readonly bias: boolean },
  kernel: readonly number[],
): NamedShape[] {
  const specs = [{ name: `${name}.kernel`, shape: kernel }]
  return bias ? [...specs, { name: `${name}.bias`, shape: kernel.slice(-1) }] : specs
}
