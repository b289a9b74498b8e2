import type { Weights } from '../../shared/model/weights.ts'

type Matrix = number[][]

interface Rules {
  importance: 'l1' | 'l2'
  order: 'upfront' | 'sequential'
  /** Neurons to keep of the two hidden levels. */
  widths: readonly [number, number]
}

/**
 * Neuron Transplantation as the paper says it, for dense networks of two hidden levels: builds the whole
 * concatenation, block diagonal, then prunes it. Slow float64 loops, sharing nothing with the product.
 */
export function concatenateAndPrune(parents: readonly Weights[], rules: Rules): Weights {
  const kernels = ['fc1', 'fc2', 'fc3'].map((layer) =>
    parents.map((weights) => toMatrix(weights, `${layer}.kernel`)),
  )
  const biases = ['fc1', 'fc2', 'fc3'].map((layer) =>
    parents.map((weights) => toMatrix(weights, `${layer}.bias`)[0]!),
  )
  const inputs = kernels[2]!.map((kernel) => kernel.length)
  const shares = inputs.map((count) => count / inputs.reduce((sum, other) => sum + other, 0))

  let first = kernels[0]![0]!.map((_, i) => kernels[0]!.flatMap((kernel) => kernel[i]!))
  let middle = blockDiagonal(kernels[1]!)
  let head = kernels[2]!.flatMap((kernel, k) => kernel.map((row) => row.map((w) => w * shares[k]!)))
  let bias1 = biases[0]!.flat()
  let bias2 = biases[1]!.flat()
  const bias3 = biases[2]![0]!.map((_, c) =>
    biases[2]!.reduce((sum, bias, k) => sum + bias[c]! * shares[k]!, 0),
  )

  const power = (w: number) => (rules.importance === 'l2' ? w * w : Math.abs(w))
  const columns = (matrix: Matrix) =>
    matrix[0]!.map((_, j) => matrix.reduce((sum, row) => sum + power(row[j]!), 0))
  const rows = (matrix: Matrix) => matrix.map((row) => row.reduce((sum, w) => sum + power(w), 0))
  const scores = (into: Matrix, outOf: Matrix) =>
    columns(into).map((column, j) => (column + rows(outOf)[j]!) / 2)

  const upfront = scores(first, middle)
  const keep2 = largest(scores(middle, head), rules.widths[1])
  middle = middle.map((row) => keep2.map((j) => row[j]!))
  bias2 = keep2.map((j) => bias2[j]!)
  head = keep2.map((j) => head[j]!)
  const keep1 = largest(
    rules.order === 'upfront' ? upfront : scores(first, middle),
    rules.widths[0],
  )
  first = first.map((row) => keep1.map((j) => row[j]!))
  bias1 = keep1.map((j) => bias1[j]!)
  middle = keep1.map((j) => middle[j]!)

  return [
    fromMatrix('fc1.kernel', first),
    fromVector('fc1.bias', bias1),
    fromMatrix('fc2.kernel', middle),
    fromVector('fc2.bias', bias2),
    fromMatrix('fc3.kernel', head),
    fromVector('fc3.bias', bias3),
  ]
}

function blockDiagonal(blocks: readonly Matrix[]): Matrix {
  const width = blocks.reduce((sum, block) => sum + block[0]!.length, 0)
  let offset = 0
  return blocks.flatMap((block) => {
    const rows = block.map((row) => {
      const wide = new Array<number>(width).fill(0)
      row.forEach((w, j) => (wide[offset + j] = w))
      return wide
    })
    offset += block[0]!.length
    return rows
  })
}

function largest(scores: readonly number[], count: number): number[] {
  return scores
    .map((score, index) => ({ score, index }))
    .sort((a, b) => b.score - a.score || a.index - b.index)
    .slice(0, count)
    .map(({ index }) => index)
    .sort((a, b) => a - b)
}

function toMatrix(weights: Weights, name: string): Matrix {
  const { shape, data } = weights.find((tensor) => tensor.name === name)!
  const width = shape.at(-1)!
  return Array.from({ length: data.length / width }, (_, i) => [
    ...data.subarray(i * width, (i + 1) * width),
  ])
}

const fromVector = (name: string, vector: readonly number[]) => ({
  name,
  shape: [vector.length],
  data: Float32Array.from(vector),
})

const fromMatrix = (name: string, matrix: Matrix) => ({
  name,
  shape: [matrix.length, matrix[0]!.length],
  data: Float32Array.from(matrix.flat()),
})
