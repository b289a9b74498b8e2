import * as tf from '@tensorflow/tfjs'
import { GraftError } from '../errors.ts'
import { modelVariables } from './model-variables.ts'

/** What a weight is called and how large it is. */
export interface NamedShape {
  /** `<layer>.<weight>`, as in `fc1.kernel`. */
  readonly name: string
  readonly shape: readonly number[]
}

/** One weight of a network outside of any tensor: what is stored, sent and fused. */
export interface NamedTensor extends NamedShape {
  /** Row-major, float32; length is the product of `shape`. */
  readonly data: Float32Array
}

/** All weights of one network, in the order of its layers; kernels are [in, out] or [kh, kw, in, out]. */
export type Weights = readonly NamedTensor[]

export const sizeOf = (shape: readonly number[]): number =>
  shape.reduce((product, dim) => product * dim, 1)

/**
 * Refuses weights that are not of the expected names and shapes, in the expected order.
 * @throws GraftError GRAFT_SHAPE_MISMATCH naming the first difference, with both shapes
 */
export function assertSameShapes(
  actual: readonly NamedShape[],
  expected: readonly NamedShape[],
): void {
  for (let i = 0; i < Math.max(actual.length, expected.length); i++) {
    const [given, wanted] = [describe(actual[i]), describe(expected[i])]
    if (given !== wanted) {
      throw new GraftError('GRAFT_SHAPE_MISMATCH', `Weight ${i} is ${given}, not ${wanted}.`)
    }
  }
}

/**
 * @param of put before the weight's name in the message
 * @throws GraftError GRAFT_NOT_FINITE naming the first weight that holds NaN or infinity
 */
export function assertFinite(weights: Weights, of = ''): void {
  for (const { name, data } of weights) assertFiniteFloats(`${of}${name}`, data)
}

/**
 * The same of some floats of a weight.
 * @param first index in the weight of the first of them
 */
export function assertFiniteFloats(name: string, floats: Float32Array, first = 0): void {
  const at = indexOfOdd(floats)
  if (at < 0) return
  throw new GraftError('GRAFT_NOT_FINITE', `${name}[${first + at}] is ${floats[at]!}.`)
}

/** A plain loop over a difference: `findIndex` takes many times as long, a large part of a fusion. */
function indexOfOdd(data: Float32Array): number {
  for (let i = 0; i < data.length; i++) {
    const value = data[i]!
    // NaN for NaN and for infinity.
    if (value - value !== 0) return i
  }
  return -1
}

/** Copies all weights out of a model, in the order of its layers. */
export async function readWeights(model: tf.LayersModel): Promise<Weights> {
  return Promise.all(
    modelVariables(model).map(async ({ name, variable }) => ({
      name,
      shape: shapeOf(variable),
      // Some back ends hand out their own array, which the next training step would change.
      data: Float32Array.from(await variable.read().data()),
    })),
  )
}

/**
 * Copies weights into a model; nothing changes when they don't fit.
 * @throws GraftError GRAFT_SHAPE_MISMATCH naming the first difference, with both shapes
 */
export function writeWeights(model: tf.LayersModel, weights: Weights): void {
  const variables = modelVariables(model)
  const expected = variables.map(({ name, variable }) => ({ name, shape: shapeOf(variable) }))
  assertSameShapes(weights, expected)
  tf.tidy(() => {
    for (const [i, { variable }] of variables.entries()) {
      const { shape, data } = weights[i]!
      // A tensor of the pure JavaScript back end is the array it was made from, hence the copy.
      variable.write(tf.tensor(data.slice(), [...shape], 'float32'))
    }
  })
}

function shapeOf(variable: tf.LayerVariable): number[] {
  return [...variable.shape] as number[]
}

function describe(tensor: NamedShape | undefined): string {
  return tensor === undefined ? 'absent' : `${tensor.name} [${tensor.shape}]`
}
