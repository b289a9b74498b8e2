import type { Weights } from '../../shared/model/weights.ts'

interface Layer {
  readonly inputs: number
  readonly outputs: number
  /** [input, output] */
  readonly kernel: Float32Array
  readonly bias: Float32Array
}

/**
 * Neuron Transplantation as the paper tells it, for dense networks: builds the whole concatenation, whose
 * hidden kernels grow with the square of the parents, then prunes it. What `nt` is timed beside.
 */
export function concatenateThenPrune(
  parents: readonly Weights[],
  sizes: readonly number[],
): Layer[] {
  const depth = sizes.length - 1
  const whole = Array.from({ length: depth }, (_, l) => concatenated(parents, l, depth))
  const kept = whole
    .slice(0, -1)
    .map((layer, l) => largest(scores(layer, whole[l + 1]!), sizes[l + 1]!))
  return whole.map((layer, l) => pruned(layer, kept[l - 1], kept[l]))
}

function concatenated(parents: readonly Weights[], l: number, depth: number): Layer {
  const [isFirst, isLast] = [l === 0, l === depth - 1]
  const k = parents.length
  const [own, ownOutputs] = parents[0]![2 * l]!.shape as [number, number]
  const [inputs, outputs] = [isFirst ? own : own * k, isLast ? ownOutputs : ownOutputs * k]
  const layer = {
    inputs,
    outputs,
    kernel: new Float32Array(inputs * outputs),
    bias: new Float32Array(outputs),
  }
  parents.forEach((weights, parent) => {
    const [{ data: kernel }, { data: bias }] = [weights[2 * l]!, weights[2 * l + 1]!]
    const [row, column] = [isFirst ? 0 : own * parent, isLast ? 0 : ownOutputs * parent]
    const scale = isLast ? 1 / k : 1
    for (let i = 0; i < own; i++) {
      for (let j = 0; j < ownOutputs; j++) {
        layer.kernel[(row + i) * outputs + column + j] = kernel[i * ownOutputs + j]! * scale
      }
    }
    for (let j = 0; j < ownOutputs; j++) layer.bias[column + j]! += bias[j]! * scale
  })
  return layer
}

function scores({ inputs, outputs, kernel }: Layer, next: Layer): Float64Array {
  const sums = new Float64Array(outputs)
  for (let i = 0; i < inputs; i++) {
    for (let j = 0; j < outputs; j++) sums[j]! += kernel[i * outputs + j]! ** 2
  }
  for (let i = 0; i < outputs; i++) {
    for (let j = 0; j < next.outputs; j++) sums[i]! += next.kernel[i * next.outputs + j]! ** 2
  }
  return sums
}

function largest(values: Float64Array, count: number): Int32Array {
  const order = Int32Array.from(values.keys()).sort((a, b) => values[b]! - values[a]!)
  return order.slice(0, count).sort()
}

function pruned(layer: Layer, rows?: Int32Array, columns?: Int32Array): Layer {
  const from = rows ?? Int32Array.from({ length: layer.inputs }, (_, i) => i)
  const to = columns ?? Int32Array.from({ length: layer.outputs }, (_, j) => j)
  const kernel = new Float32Array(from.length * to.length)
  for (let i = 0; i < from.length; i++) {
    for (let j = 0; j < to.length; j++) {
      kernel[i * to.length + j] = layer.kernel[from[i]! * layer.outputs + to[j]!]!
    }
  }
  const bias = Float32Array.from(to, (j) => layer.bias[j]!)
  return { inputs: from.length, outputs: to.length, kernel, bias }
}
