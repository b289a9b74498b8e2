/** Values of several seeds. */
export interface Spread {
  readonly mean: number
  /** Standard deviation of the sample (n - 1); null of a single value. */
  readonly deviation: number | null
  readonly count: number
}

/** @returns null without a value */
export function spreadOf(values: readonly number[]): Spread | null {
  const count = values.length
  const middle = mean(values)
  if (middle === null) return null
  if (count === 1) return { mean: middle, deviation: null, count }
  const squares = values.reduce((sum, value) => sum + (value - middle) ** 2, 0)
  return { mean: middle, deviation: Math.sqrt(squares / (count - 1)), count }
}

/** @returns null without a value */
export function mean(values: readonly number[]): number | null {
  if (values.length === 0) return null
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

/** One standard deviation to each side of the mean; undefined of a single value. */
export function bandOf({ mean, deviation }: Spread): readonly [number, number] | undefined {
  return deviation === null ? undefined : [mean - deviation, mean + deviation]
}
