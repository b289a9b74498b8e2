import type { TensorInfo } from '@tensorflow/tfjs'
import type { Replacement, WasmWorkspace } from './wasm-backend.ts'

/** Numbers of a right operand that are multiplied at once, 16 MiB of them. */
const LARGEST_OPERAND = 1 << 22

type Operands = Readonly<Record<string, TensorInfo>>

/**
 * Matrix product that transposes an operand before it multiplies, and takes a large right operand by its columns.
 *
 * The stock kernel reads a transposed operand element by element; without transposing it calls XNNPACK's blocked product. That
 * keeps a packed copy of the right operand beside it until it is disposed of, which a weight of a gigabyte has no room for.
 */
export function matMul(kernelName: 'BatchMatMul' | '_FusedMatMul'): Replacement {
  return (workspace, inputs, attributes) => {
    const { transposeA, transposeB, ...rest } = attributes as {
      transposeA: boolean
      transposeB: boolean
    }
    const a = transposeA ? transposeLast(workspace, inputs['a']!) : inputs['a']! // [..., row, inner]
    const b = transposeB ? transposeLast(workspace, inputs['b']!) : inputs['b']! // [..., inner, column]
    const product = (operands: Operands) =>
      workspace.run(kernelName, operands, { ...rest, transposeA: false, transposeB: false })

    const isOneProduct = [a, b].every(({ shape }) => shape.slice(0, -2).every((size) => size === 1))
    const isLarge = b.shape.at(-2)! * b.shape.at(-1)! > LARGEST_OPERAND
    const isByColumn = isOneProduct && isLarge && inputs['preluActivationWeights'] === undefined
    return isByColumn
      ? byColumns(workspace, { ...inputs, a, b }, product)
      : product({ ...inputs, a, b })
  }
}

function transposeLast(workspace: WasmWorkspace, x: TensorInfo): TensorInfo {
  const perm = x.shape.map((_, axis) => axis)
  perm.push(...perm.splice(-2).reverse())
  return workspace.run('Transpose', { x }, { perm })
}

/**
 * Every number is summed as in one product.
 *
 * @param operands `a` [1, row, inner], `b` [1, inner, column] and perhaps `bias` [column]
 * @returns [1, row, column], owned by the caller
 */
function byColumns(
  { make, view, free }: WasmWorkspace,
  operands: Operands,
  product: (operands: Operands) => TensorInfo,
): TensorInfo {
  const [a, b, bias] = [operands['a']!, operands['b']!, operands['bias']]
  const [inner, columns] = b.shape.slice(-2) as [number, number]
  const columnsAtOnce = Math.max(1, Math.floor(LARGEST_OPERAND / inner))
  const columnsOf = (tensor: TensorInfo, first: number): Columns => ({
    values: view(tensor),
    columns: tensor.shape.at(-1)!,
    first,
  })

  const result = make([...a.shape.slice(0, -1), columns])
  for (let first = 0; first < columns; first += columnsAtOnce) {
    const count = Math.min(columnsAtOnce, columns - first)
    const take = (tensor: TensorInfo) => {
      const taken = make([...tensor.shape.slice(0, -1), count])
      copyColumns(columnsOf(tensor, first), columnsOf(taken, 0), count)
      return taken
    }
    const taken = { b: take(b), ...(bias && { bias: take(bias) }) }
    const part = product({ ...operands, ...taken })
    copyColumns(columnsOf(part, 0), columnsOf(result, first), count)
    for (const made of [part, ...Object.values(taken)]) free(made)
  }
  return result
}

/** Columns of a matrix [row, column], from `first` on. */
interface Columns {
  readonly values: Float32Array
  readonly columns: number
  readonly first: number
}

function copyColumns(from: Columns, to: Columns, count: number): void {
  const rows = from.values.length / from.columns
  for (let row = 0; row < rows; row++) {
    const start = row * from.columns + from.first
    to.values.set(from.values.subarray(start, start + count), row * to.columns + to.first)
  }
}
