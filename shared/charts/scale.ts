/** Ends of an axis, the smaller first. */
export type Domain = readonly [number, number]

/**
 * Round numbers at even steps of 1, 2 or 5 times a power of ten, inside of the domain.
 *
 * @param about how many; there may be half or twice as many
 * @param smallest step that may be taken, e.g. 1 where values are whole
 */
export function ticks([low, high]: Domain, about: number, smallest = 0): number[] {
  const step = Math.max(stepOf((high - low) / about), smallest)
  const first = Math.ceil(low / step - 1e-9)
  const last = Math.floor(high / step + 1e-9)
  // Products, not sums: 3 * 0.1 is nearer to 0.3 than 0.1 + 0.1 + 0.1.
  return Array.from({ length: last - first + 1 }, (_, i) =>
    Number(((first + i) * step).toPrecision(12)),
  )
}

function stepOf(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough))
  const factor = [1, 2, 5, 10].find((candidate) => candidate * power >= rough * 0.999)
  return factor! * power
}

/**
 * A domain with room around the values and round ends.
 *
 * @param values at least one
 * @param bounds that it does not leave, e.g. [0, 1] of shares
 */
export function niceDomain(
  values: readonly number[],
  bounds: Domain = [-Infinity, Infinity],
): Domain {
  const low = values.reduce((a, b) => Math.min(a, b), Infinity)
  const high = values.reduce((a, b) => Math.max(a, b), -Infinity)
  // All values alike: some room, so that there is an axis at all.
  const room = high > low ? (high - low) * 0.04 : Math.max(Math.abs(high) * 0.05, 0.01)
  const step = stepOf((high - low + 2 * room) / 5)
  return [
    Math.max(bounds[0], Math.floor((low - room) / step) * step),
    Math.min(bounds[1], Math.ceil((high + room) / step) * step),
  ]
}

/** From values to places. */
export function linearScale([low, high]: Domain, [from, to]: Domain): (value: number) => number {
  return (value) => from + ((value - low) / (high - low)) * (to - from)
}
