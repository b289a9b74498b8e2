import type { Architecture, DataShape } from '../architecture.ts'
import type { LayerSpec } from '../layer-spec.ts'

/** Dense layers with ReLU between them. @param sizes inputs, units of each layer, classes */
export function mlp(sizes: readonly number[], { inputShape, numClasses }: DataShape): Architecture {
  const layers: LayerSpec[] = inputShape.length > 1 ? [{ kind: 'flatten' }] : []
  for (const [i, units] of sizes.slice(1).entries()) {
    if (i > 0) layers.push({ kind: 'relu' })
    layers.push({ kind: 'dense', name: `fc${i + 1}`, units, bias: true })
  }
  return { name: `mlp:${sizes.join('-')}`, inputShape, numClasses, layers }
}
