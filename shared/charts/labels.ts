/** Width of a letter in charts, in their units: the mean of system fonts at 12 units, rounded up. */
const LETTER = 6.3

/** About how wide a text is, in units of a chart. */
export const widthOf = (text: string): number => text.length * LETTER

/**
 * Labels of at most `most` characters that still differ from each other: the middle goes, and where that makes two
 * alike, they are numbered.
 */
export function shortLabels(labels: readonly string[], most: number): string[] {
  const cut = labels.map((label) => shortened(label, most))
  return cut.map((label, i) => {
    if (labels.every((other, j) => other === labels[i] || cut[j] !== label)) return label
    const number = ` #${i + 1}`
    return shortened(labels[i]!, most - number.length) + number
  })
}

function shortened(label: string, most: number): string {
  if (label.length <= most) return label
  const end = Math.floor((most - 1) / 3)
  return `${label.slice(0, most - 1 - end)}…${label.slice(label.length - end)}`
}

/**
 * Moves labels apart so that none covers another, in the order that they have, as little as a pass down and a pass up
 * need.
 *
 * @param wanted places, in any order
 * @param gap between neighbours
 * @returns places in the order of `wanted`, inside of the range where there is room
 */
export function spreadOut(
  wanted: readonly number[],
  gap: number,
  [top, bottom]: readonly [number, number],
): number[] {
  const order = wanted.map((_, i) => i).sort((a, b) => wanted[a]! - wanted[b]! || a - b)
  const places = [...wanted]
  let free = top
  for (const i of order) {
    places[i] = Math.max(places[i]!, free)
    free = places[i] + gap
  }
  free = bottom
  for (const i of order.toReversed()) {
    places[i] = Math.min(places[i]!, free)
    free = places[i] - gap
  }
  return places
}
