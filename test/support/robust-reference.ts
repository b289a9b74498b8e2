import type { Parent } from '../../server/fusion/strategy.ts'

/** All weights of each parent end to end, [parent][coordinate], in float64. */
export async function flattened(parents: readonly Parent[]): Promise<number[][]> {
  const loaded = await Promise.all(parents.map((parent) => parent.load()))
  return loaded.map((weights) => weights.flatMap(({ data }) => [...data]))
}

/** In each coordinate, the mean without the `trim` smallest and largest values; slow, by the definition. */
export function trimmedMeanReference(vectors: readonly number[][], trim: number): number[] {
  return vectors[0]!.map((_, i) => {
    const sorted = vectors.map((vector) => vector[i]!).sort((a, b) => a - b)
    const kept = sorted.slice(trim, sorted.length - trim)
    return kept.reduce((sum, value) => sum + value, 0) / kept.length
  })
}

/** In each coordinate, the median as Definition 1 of arXiv 1803.01498 has it. */
export function medianReference(vectors: readonly number[][]): number[] {
  return vectors[0]!.map((_, i) => {
    const sorted = vectors.map((vector) => vector[i]!).sort((a, b) => a - b)
    const middle = sorted.length / 2
    return Number.isInteger(middle)
      ? (sorted[middle - 1]! + sorted[middle]!) / 2
      : sorted[Math.floor(middle)]!
  })
}

/** s(i) of each vector: its squared distances to the n - f - 2 closest others, summed. */
export function krumReference(vectors: readonly number[][], f: number): number[] {
  return vectors.map((own, i) => {
    const distances = vectors
      .filter((_, j) => j !== i)
      .map((other) => own.reduce((sum, value, at) => sum + (value - other[at]!) ** 2, 0))
      .sort((a, b) => a - b)
    return distances.slice(0, vectors.length - f - 2).reduce((sum, value) => sum + value, 0)
  })
}
