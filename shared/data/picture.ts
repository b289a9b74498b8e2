import type { Colors } from '../command/text-stream.ts'

export interface PictureRow {
  readonly name: string
  /** Examples of each class, [class]. */
  readonly counts: readonly number[]
}

export interface PictureOptions {
  /** Characters in a line; counts are left out where they do not fit. */
  readonly columns: number
  readonly colors: Colors
  /** Rows shown at most; the others are counted in a last line. Default 40. */
  readonly maxRows?: number
}

const SHADES = ['░', '▒', '▓', '█'] as const
const ABSENT = '·'

/**
 * Who has how many examples of which class: a line for each row, a column for each class, shaded by the
 * count's share of the largest one (quarters), an absent class a dot.
 *
 * @returns lines, without line ends
 */
export function classPicture(rows: readonly PictureRow[], options: PictureOptions): string[] {
  const { columns, colors, maxRows = 40 } = options
  const shown = rows.slice(0, maxRows)
  const numClasses = rows[0]?.counts.length ?? 0
  const largest = Math.max(1, ...rows.map(({ counts }) => Math.max(0, ...counts)))
  const nameWidth = Math.max(...shown.map(({ name }) => name.length), 0)
  const totals = shown.map(({ counts }) => counts.reduce((a, b) => a + b, 0))
  const totalWidth = Math.max('total'.length, ...totals.map((total) => String(total).length))

  // A shade, a count, a space.
  const wide = Math.max(String(largest).length, String(numClasses - 1).length) + 2
  const hasCounts = nameWidth + 1 + numClasses * wide + totalWidth <= columns
  const cellOf = (count: number): string => {
    const shade = count === 0 ? colors.dim(ABSENT) : colors.cyan(shadeOf(count / largest))
    if (!hasCounts) return shade
    return `${shade}${(count === 0 ? '' : String(count)).padStart(wide - 2)} `
  }
  const headOf = (c: number): string =>
    // Without counts a column is one character, so only the last digit fits.
    hasCounts ? `${String(c).padStart(wide - 1)} ` : String(c % 10)

  const classes = Array.from({ length: numClasses }, (_, c) => headOf(c)).join('')
  const head = `${''.padEnd(nameWidth)} ${classes}${hasCounts ? '' : ' '}${'total'.padStart(totalWidth)}`
  const lines = shown.map(({ name, counts }, i) => {
    const cells = counts.map(cellOf).join('')
    return `${name.padEnd(nameWidth)} ${cells}${hasCounts ? '' : ' '}${String(totals[i]).padStart(totalWidth)}`
  })
  const more = rows.length - shown.length
  return [colors.dim(head), ...lines, ...(more > 0 ? [colors.dim(`... and ${more} more`)] : [])]
}

/** @param share above 0, at most 1 */
function shadeOf(share: number): string {
  return SHADES[Math.ceil(share * SHADES.length) - 1]!
}
