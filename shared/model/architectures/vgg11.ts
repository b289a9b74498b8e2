import { GraftError } from '../../errors.ts'
import type { Architecture, DataShape } from '../architecture.ts'
import type { LayerSpec } from '../layer-spec.ts'

/** Channels of each convolution as multiples of the base width, or a max pooling. */
const CONFIGURATION_A = [1, 'pool', 2, 'pool', 4, 4, 'pool', 8, 8, 'pool', 8, 8, 'pool'] as const
const NUM_POOLS = CONFIGURATION_A.filter((item) => item === 'pool').length

export interface Vgg11Options {
  /** Channels of the first convolution; later ones have up to eight times as many. 64 in the paper. */
  readonly width: number
  /** Batch normalisation behind each convolution. */
  readonly batchNorm: boolean
}

/**
 * VGG, configuration A (Simonyan & Zisserman 2014, arXiv:1409.1556, table 1), in its usual form for small
 * images: one dense layer behind the convolutions instead of three. With width 64, [32, 32, 3] and 10
 * classes 9,225,610 parameters; with batch normalisation, whose convolutions keep their biases as
 * torchvision's do, 9,231,114 and 5,504 moving statistics.
 *
 * @throws GraftError GRAFT_ARCHITECTURE_INVALID for images below 32 x 32
 */
export function vgg11(
  { width, batchNorm }: Vgg11Options,
  { inputShape, numClasses }: DataShape,
): Architecture {
  const name = batchNorm ? 'vgg11-bn' : 'vgg11'
  const least = 2 ** NUM_POOLS
  if (inputShape.length !== 3 || inputShape.slice(0, 2).some((dim) => dim < least)) {
    throw new GraftError(
      'GRAFT_ARCHITECTURE_INVALID',
      `${name} halves its maps ${NUM_POOLS} times, so it reads images from ${least} x ${least}, not [${inputShape}].`,
    )
  }
  const layers: LayerSpec[] = []
  let convs = 0
  for (const item of CONFIGURATION_A) {
    if (item === 'pool') {
      layers.push({ kind: 'max-pool', size: 2 })
      continue
    }
    convs++
    layers.push(
      {
        kind: 'conv2d',
        name: `conv${convs}`,
        filters: item * width,
        kernelSize: 3,
        strides: 1,
        padding: 'same',
        bias: true,
      },
      ...(batchNorm ? [{ kind: 'batch-norm', name: `bn${convs}` } as const] : []),
      { kind: 'relu' },
    )
  }
  layers.push({ kind: 'flatten' }, { kind: 'dense', name: 'fc', units: numClasses, bias: true })
  return { name: width === 64 ? name : `${name}:${width}`, inputShape, numClasses, layers }
}
