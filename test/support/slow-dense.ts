import type { Weights } from '../../shared/model/weights.ts'

/** A dense network with relus between its layers, in slow float64. */
export interface SlowDense {
  /** Output of each layer before its relu, [layer][unit]; `change` may replace the output of one. */
  run(x: readonly number[], change?: (layer: number, outputs: number[]) => number[]): number[][]
  /** dlogit/doutput of each layer before its relu, [layer][unit], for a network that ran so. */
  gradients(outputs: readonly (readonly number[])[], label: number): number[][]
  /** Weight from a unit to one of the next layer. */
  weight(layer: number, from: number, to: number): number
  readonly widths: readonly number[]
}

/** @param weights `[kernel, bias]` of each layer, in order */
export function slowDense(weights: Weights): SlowDense {
  const kernels = weights.filter(({ name }) => name.endsWith('.kernel'))
  const biases = weights.filter(({ name }) => name.endsWith('.bias'))
  const widths = biases.map(({ data }) => data.length)
  const weight = (layer: number, from: number, to: number) =>
    kernels[layer]!.data[from * widths[layer]! + to]!
  return {
    widths,
    weight,
    run(x, change = (_, outputs) => outputs) {
      let inputs = [...x]
      return widths.map((width, layer) => {
        const outputs = Array.from({ length: width }, (_, to) =>
          inputs.reduce(
            (sum, value, from) => sum + value * weight(layer, from, to),
            biases[layer]!.data[to]!,
          ),
        )
        const changed = change(layer, outputs)
        inputs = changed.map((value) => Math.max(0, value))
        return changed
      })
    },
    gradients(outputs, label) {
      const last = widths.length - 1
      const gradients: number[][] = []
      gradients[last] = outputs[last]!.map((_, unit) => (unit === label ? 1 : 0))
      for (let layer = last - 1; layer >= 0; layer--) {
        gradients[layer] = outputs[layer]!.map((value, from) =>
          value <= 0
            ? 0
            : gradients[layer + 1]!.reduce(
                (sum, gradient, to) => sum + gradient * weight(layer + 1, from, to),
                0,
              ),
        )
      }
      return gradients
    },
  }
}
