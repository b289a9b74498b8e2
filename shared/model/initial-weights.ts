import { normal } from '../numeric/random.ts'
import type { Rng } from '../numeric/rng.ts'
import type { Architecture } from './architecture.ts'
import { weightSpecs } from './weight-specs.ts'
import { blocksOf, type WeightStream } from './weight-stream.ts'
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
  return specs.map((spec) => {
    const data = new Float32Array(sizeOf(spec.shape))
    fillerOf(spec, rng)(data)
    return { ...spec, data }
  })
}

/** The same, drawn while they are read. */
export function drawnWeights(specs: readonly NamedShape[], rng: Rng): WeightStream {
  return {
    shapes: specs,
    *pieces() {
      for (const spec of specs) {
        const fill = fillerOf(spec, rng)
        for (const { length } of blocksOf(sizeOf(spec.shape))) {
          const block = new Float32Array(length)
          fill(block)
          yield block
        }
      }
    },
  }
}

/** Fills arrays with the numbers of a weight, each where the one before it ended. */
function fillerOf({ name, shape }: NamedShape, rng: Rng): (data: Float32Array) => void {
  const stream = rng.split(name)
  const weight = name.slice(name.lastIndexOf('.') + 1)
  switch (weight) {
    case 'kernel':
    case 'outputKernel':
    case 'pointwiseKernel':
      return uniform(fanInLimit(sizeOf(shape.slice(0, -1))), stream)
    case 'depthwiseKernel':
      // Each channel reads its own map alone.
      return uniform(fanInLimit(sizeOf(shape.slice(0, 2))), stream)
    case 'embeddings':
      return uniform(EMBEDDING_LIMIT, stream)
    case 'queryKernel':
    case 'keyKernel':
    case 'valueKernel':
      return uniform(fanInLimit(shape[0]!), stream)
    case 'positions':
      return (data) => {
        for (let i = 0; i < data.length; i++) data[i] = POSITION_DEVIATION * normal(stream)
      }
    case 'gamma':
    case 'movingVariance':
      return (data) => void data.fill(1)
    default:
      return (data) => void data.fill(0)
  }
}

function fanInLimit(fanIn: number): number {
  return Math.sqrt(6 / fanIn)
}

/** From U(-limit, limit). */
function uniform(limit: number, stream: Rng): (data: Float32Array) => void {
  return (data) => {
    for (let i = 0; i < data.length; i++) data[i] = (2 * stream.next() - 1) * limit
  }
}
