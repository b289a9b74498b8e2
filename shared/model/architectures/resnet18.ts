import type { Architecture, DataShape } from '../architecture.ts'
import type { LayerSpec } from '../layer-spec.ts'

const BLOCKS_A_STAGE = 2

/**
 * ResNet-18 (He et al. 2016, arXiv:1512.03385, table 1) in its usual form for small images: a 3x3
 * convolution without pooling in front, four stages of two basic blocks, shortcuts by a strided 1x1
 * convolution where shapes change (option B of section 3.3). Layers are named as torchvision's. With width
 * 64, [32, 32, 3] and 10 classes 11,173,962 parameters and 9,600 moving statistics.
 *
 * @param width channels of the first stage; each further one has twice as many
 */
export function resnet18(width: number, { inputShape, numClasses }: DataShape): Architecture {
  const layers: LayerSpec[] = [
    ...conv3x3('conv1', width, 1),
    { kind: 'batch-norm', name: 'bn1' },
    { kind: 'relu', name: 'relu' },
  ]
  let before = 'relu'
  for (const [stage, factor] of [1, 2, 4, 8].entries()) {
    for (let block = 0; block < BLOCKS_A_STAGE; block++) {
      const name = `layer${stage + 1}.${block}`
      const strides = stage > 0 && block === 0 ? 2 : 1
      layers.push(...basicBlock(name, before, { filters: factor * width, strides }))
      before = `${name}.relu2`
    }
  }
  layers.push(
    { kind: 'global-average-pool' },
    { kind: 'dense', name: 'fc', units: numClasses, bias: true },
  )
  const name = width === 64 ? 'resnet18' : `resnet18:${width}`
  return { name, inputShape, numClasses, layers }
}

/** relu(bn2(conv2(relu(bn1(conv1(x))))) + shortcut(x)) for the x that layer `before` makes. */
function basicBlock(
  name: string,
  before: string,
  { filters, strides }: { readonly filters: number; readonly strides: number },
): LayerSpec[] {
  const [first, ...rest] = conv3x3(`${name}.conv1`, filters, strides)
  const main: LayerSpec[] = [
    { ...first!, inputs: [before] },
    ...rest,
    { kind: 'batch-norm', name: `${name}.bn1` },
    { kind: 'relu', name: `${name}.relu1` },
    ...conv3x3(`${name}.conv2`, filters, 1),
    { kind: 'batch-norm', name: `${name}.bn2` },
  ]
  const projection: LayerSpec[] = [
    { ...conv(`${name}.downsample.0`, { filters, kernelSize: 1, strides }), inputs: [before] },
    { kind: 'batch-norm', name: `${name}.downsample.1` },
  ]
  const isProjected = strides > 1
  const shortcut = isProjected ? `${name}.downsample.1` : before
  return [
    ...main,
    ...(isProjected ? projection : []),
    { kind: 'add', name: `${name}.add`, inputs: [`${name}.bn2`, shortcut] },
    { kind: 'relu', name: `${name}.relu2` },
  ]
}

/** Padded by 1 on each side; TensorFlow's `same` would pad a strided one only at the bottom and right. */
function conv3x3(name: string, filters: number, strides: number): LayerSpec[] {
  const kernelSize = 3
  if (strides === 1) return [conv(name, { filters, kernelSize, strides, padding: 'same' })]
  return [
    { kind: 'zero-pad', name: `${name}.pad`, size: 1 },
    conv(name, { filters, kernelSize, strides }),
  ]
}

function conv(
  name: string,
  window: {
    readonly filters: number
    readonly kernelSize: number
    readonly strides: number
    readonly padding?: 'same'
  },
): LayerSpec {
  return { kind: 'conv2d', name, padding: 'valid', bias: false, ...window }
}
