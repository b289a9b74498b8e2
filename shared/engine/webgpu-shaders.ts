import type { DataType } from '@tensorflow/tfjs'

/** A shader of tfjs's WebGPU back end, before it is compiled. */
export interface WebgpuProgram {
  /** Part of the key under which the compiled shader is kept; the types of its inputs are the rest. */
  readonly shaderKey: string
  readonly outputShape: readonly number[]
  getUserCode(): string
}

/**
 * Repairs what tfjs 4.22 writes into three kinds of shader. Two do not compile, one is wrong:
 *
 * - A transpose of int32 or bool, of three or more axes, stores its integers with the function for floats.
 *   Sums and other reductions over leading axes begin with one.
 * - Arithmetic of a tensor of five or six axes with a vector indexes a struct as if it were an array.
 * - The gradient of max pooling goes to the last of equal maxima in a window; the other engines, and torch,
 *   take the first. Windows on a plain background are full of equal ones.
 *
 * Changes `program`, which tfjs makes anew for each call.
 *
 * @param rest the other arguments of `runWebGPUProgram`: inputs, type of the result
 */
export function repairShader(program: WebgpuProgram, rest: readonly unknown[]): WebgpuProgram {
  const dtype = rest[1] as DataType | undefined
  const { shaderKey, outputShape } = program
  if (/^transpose_\d/.test(shaderKey) && (dtype === 'int32' || dtype === 'bool')) {
    return rewrite(program, (code) => code.replace('setOutputAtIndex(', 'setOutputAtIndexI32('))
  }
  if (/^binary_/.test(shaderKey) && outputShape.length > 4) {
    return rewrite(program, (code) =>
      code.replace('coords[4]', 'coords.u').replace('coords[5]', 'coords.v'),
    )
  }
  if (/^pool2D_max_true/.test(shaderKey)) {
    return rewrite(program, (code) =>
      code.replace('value >= currMaxValue', 'maxValueFound == 0.0 || value > currMaxValue'),
    )
  }
  return program
}

function rewrite(program: WebgpuProgram, change: (code: string) => string): WebgpuProgram {
  const write = program.getUserCode.bind(program)
  program.getUserCode = () => change(write())
  return program
}
