import type { Float64Ops, Matrix64 } from '../engine/float64-ops.ts'
import { nativeFloat64 } from '../engine/native-float64.ts'
import { cholesky, choleskySolve } from './cholesky.ts'
import { addProduct, selfProduct, transposed, viewOf, type View64 } from './matmul64.ts'
import { symmetricEigen } from './symmetric-eigen.ts'

/** Float64 ops of the engine that runs: TensorFlow's on native, else {@link plainFloat64}. */
export function createFloat64Ops(): Float64Ops {
  return nativeFloat64() ?? plainFloat64()
}

/** Float64 ops in JavaScript, the same to rounding; its matrices are views of arrays. */
export function plainFloat64(): Float64Ops {
  return {
    fromTensor: async (x) => viewOf(Float64Array.from(await x.data()), x.shape[1]),
    fromArray: viewOf,
    read: async (a) => toArray(view(a)),
    product(a, b, transpose) {
      const left = transpose === 'a' ? transposed(view(a)) : view(a)
      const right = transpose === 'b' ? transposed(view(b)) : view(b)
      if (a === b && transpose !== undefined) return viewOf(selfProduct(left), left.rows)
      const product = viewOf(new Float64Array(left.rows * right.columns), right.columns)
      addProduct(product, left, right)
      return product
    },
    add(a, b) {
      const [left, right] = [toArray(view(a)), toArray(view(b))]
      return viewOf(
        left.map((value, i) => value + right[i]!),
        a.columns,
      )
    },
    scaleRows(a, factors) {
      const values = toArray(view(a)).slice()
      for (let i = 0, at = 0; i < a.rows; i++)
        for (let j = 0; j < a.columns; j++, at++) values[at] = values[at]! * factors[i]!
      return viewOf(values, a.columns)
    },
    async eigen(a) {
      const { values, vectors } = symmetricEigen(toArray(view(a)), a.rows)
      return { values, vectors: transposed(viewOf(vectors, a.rows)) }
    },
    async cholesky(a) {
      const lower = cholesky(toArray(view(a)), a.rows)
      return lower && viewOf(lower, a.rows)
    },
    choleskySolve: (lower, b) =>
      viewOf(choleskySolve(view(lower).data, toArray(view(b)), b.columns), b.columns),
    free: () => undefined,
    dispose: () => undefined,
  }
}

function view(matrix: Matrix64): View64 {
  return matrix as View64
}

/** The numbers row by row; the array itself where they lie like that. */
function toArray({ data, columns, ...rest }: View64): Float64Array {
  const { rows, rowStride, columnStride } = rest
  if (columnStride === 1 && rowStride === columns) return data
  const values = new Float64Array(rows * columns)
  for (let i = 0, at = 0; i < rows; i++)
    for (let j = 0; j < columns; j++, at++) values[at] = data[i * rowStride + j * columnStride]!
  return values
}
