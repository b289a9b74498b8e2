import type { TensorInfo } from '@tensorflow/tfjs'
import type { Replacement, WasmWorkspace } from './wasm-backend.ts'

/**
 * Matrix product that transposes an operand before it multiplies. The stock kernel reads a transposed
 * operand element by element; without transposing it calls XNNPACK's blocked product.
 */
export function matMul(kernelName: 'BatchMatMul' | '_FusedMatMul'): Replacement {
  return (workspace, inputs, attributes) => {
    const { transposeA, transposeB, ...rest } = attributes as {
      transposeA: boolean
      transposeB: boolean
    }
    const a = transposeA ? transposeLast(workspace, inputs['a']!) : inputs['a']! // [..., row, inner]
    const b = transposeB ? transposeLast(workspace, inputs['b']!) : inputs['b']! // [..., inner, column]
    return workspace.run(
      kernelName,
      { ...inputs, a, b },
      { ...rest, transposeA: false, transposeB: false },
    )
  }
}

function transposeLast(workspace: WasmWorkspace, x: TensorInfo): TensorInfo {
  const perm = x.shape.map((_, axis) => axis)
  perm.push(...perm.splice(-2).reverse())
  return workspace.run('Transpose', { x }, { perm })
}
