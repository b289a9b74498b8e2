import type { Architecture, DataShape } from '../architecture.ts'
import type { LayerSpec } from '../layer-spec.ts'

/**
 * LeNet-5, LeCun et al. 1998, figure 2, with ReLU and max pooling as is usual today: 61,706 parameters
 * for [28, 28, 1] and 10 classes.
 */
export function lenet({ inputShape, numClasses }: DataShape): Architecture {
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
