import { normal } from '../numeric/random.ts'
import type { Rng } from '../numeric/rng.ts'
import type { Architecture } from './architecture.ts'
import { weightSpecs } from './weight-specs.ts'
import { sizeOf, type NamedShape, type NamedTensor } from './weights.ts'

/** Standard deviation of untrained position embeddings, as in vision transformers. */
const POSITION_DEVIATION = 0.02

/**
 * Weights of an untrained network, drawn outside of the engine, so a seed gives the same bytes on every
 * engine. Kernels come from He's uniform distribution, U(-l, l) with l = sqrt(6 / fanIn) (He et al. 2015,
 * arXiv:1502.01852, section 2.2), position embeddings from a normal one of deviation 0.02; factors and
 * moving variances of a normalisation are 1, all else is 0.
 */
export function initialWeights(architecture: Architecture, rng: Rng): NamedTensor[] {
  return weightSpecs(architecture).map((spec) => ({ ...spec, data: draw(spec, rng) }))
}

function draw({ name, shape }: NamedShape, rng: Rng): Float32Array {
  const data = new Float32Array(sizeOf(shape))
  const weight = name.slice(name.lastIndexOf('.') + 1)
  switch (weight) {
    case 'kernel':
    case 'outputKernel':
      return fillUniform(data, sizeOf(shape.slice(0, -1)), rng.split(name))
    case 'queryKernel':
    case 'keyKernel':
    case 'valueKernel':
      return fillUniform(data, shape[0]!, rng.split(name))
    case 'positions': {
      const stream = rng.split(name)
      return data.map(() => POSITION_DEVIATION * normal(stream))
    }
    case 'gamma':
    case 'movingVariance':
      return data.fill(1)
    default:
      return data
  }
}

function fillUniform(data: Float32Array, fanIn: number, stream: Rng): Float32Array {
  const limit = Math.sqrt(6 / fanIn)
  return data.map(() => (2 * stream.next() - 1) * limit)
}
