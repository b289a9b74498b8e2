import { normal } from '../numeric/random.ts'
import type { Rng } from '../numeric/rng.ts'
import type { Architecture } from './architecture.ts'
import { weightSpecs } from './weight-specs.ts'
import { sizeOf, type NamedShape, type NamedTensor } from './weights.ts'

/** Standard deviation of untrained position embeddings, as in vision transformers. */
const POSITION_DEVIATION = 0.02

const EMBEDDING_LIMIT = 0.05

/**
 * Weights of an untrained network, drawn outside of the engine, so a seed gives the same bytes on every
 * engine. Kernels come from He's uniform distribution, U(-l, l) with l = sqrt(6 / fanIn) (He et al. 2015,
 * arXiv:1502.01852, section 2.2), position embeddings from a normal one of deviation 0.02; factors and
 * moving variances of a normalisation are 1, all else is 0.
 */
export function initialWeights(architecture: Architecture, rng: Rng): NamedTensor[] {
  return drawWeights(weightSpecs(architecture), rng)
}

/**
 * The same for the weights of any network, by their names: a topology's own initialisers would draw from
 * TensorFlow.js, which repeats nothing. Embeddings come from U(-0.05, 0.05), as Keras has it.
 */
export function drawWeights(specs: readonly NamedShape[], rng: Rng): NamedTensor[] {
  return specs.map((spec) => ({ ...spec, data: draw(spec, rng) }))
}

function draw({ name, shape }: NamedShape, rng: Rng): Float32Array {
  const data = new Float32Array(sizeOf(shape))
  const weight = name.slice(name.lastIndexOf('.') + 1)
  switch (weight) {
    case 'kernel':
    case 'outputKernel':
    case 'pointwiseKernel':
      return fillUniform(data, fanInLimit(sizeOf(shape.slice(0, -1))), rng.split(name))
    case 'depthwiseKernel':
      // Each channel reads its own map alone.
      return fillUniform(data, fanInLimit(sizeOf(shape.slice(0, 2))), rng.split(name))
    case 'embeddings':
      return fillUniform(data, EMBEDDING_LIMIT, rng.split(name))
    case 'queryKernel':
    case 'keyKernel':
    case 'valueKernel':
      return fillUniform(data, fanInLimit(shape[0]!), rng.split(name))
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

function fanInLimit(fanIn: number): number {
  return Math.sqrt(6 / fanIn)
}

/** From U(-limit, limit). */
function fillUniform(data: Float32Array, limit: number, stream: Rng): Float32Array {
  return data.map(() => (2 * stream.next() - 1) * limit)
}
