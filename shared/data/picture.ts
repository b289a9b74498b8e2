import {
  type Colors,
  colorsOf,
  hasManyColors,
  sizeOfTerminal,
  type TextStream,
} from '../command/text-stream.ts'

export interface PictureRow {
  readonly name: string
  /** Examples of each class, [class]. */
  readonly counts: readonly number[]
}

export interface PictureOptions {
  /** Characters in a line; counts are left out where they do not fit. */
  readonly columns: number
  readonly colors: Colors
  /** Cells are coloured by their counts, not only shaded: the terminal has 256 colours. @default false */
  readonly hasManyColors?: boolean
  /** Rows shown at most; the others are counted in a last line. Default 40. */
  readonly maxRows?: number
  /** Rows that are shaded like the others, but are sums of them, so that they do not set the scale. */
  readonly sums?: readonly PictureRow[]
}

const SHADES = ['░', '▒', '▓', '█'] as const
const ABSENT = '·'

/** Of xterm's 256 colours some near to those of viridis, dark to light; their text is white, then black. */
const RAMP = [54, 60, 24, 30, 36, 71, 148, 226] as const

/** As wide and as coloured as this stream can show it. */
export function pictureOptionsOf(stream: TextStream): PictureOptions {
  return {
    columns: sizeOfTerminal(stream).columns,
    colors: colorsOf(stream),
    hasManyColors: hasManyColors(stream),
  }
}

/**
 * Who has how many examples of which class: a line for each row, a column for each class, shaded by the
 * count's share of the largest one (quarters, or eighths in colour), an absent class a dot.
 *
 * @returns lines, without line ends
 */
export function classPicture(rows: readonly PictureRow[], options: PictureOptions): string[] {
  const { columns, colors, maxRows = 40, sums = [] } = options
  const kept = rows.slice(0, maxRows)
  const shown = [...kept, ...sums]
  const numClasses = shown[0]?.counts.length ?? 0
  const largest = largestOf(rows)
  const most = Math.max(largest, ...sums.flatMap(({ counts }) => counts))
  const nameWidth = Math.max(...shown.map(({ name }) => name.length), 0)
  const totals = shown.map(({ counts }) => counts.reduce((a, b) => a + b, 0))
  const totalWidth = Math.max('total'.length, ...totals.map((total) => String(total).length))

  // A shade, a count, a space.
  const wide = Math.max(String(most).length, String(numClasses - 1).length) + 2
  const hasCounts = nameWidth + 1 + numClasses * wide + totalWidth <= columns
  const cellOf = (count: number): string => {
    const text = hasCounts ? (count === 0 ? '' : String(count)).padStart(wide - 2) : ''
    const cell = shade(count, { text, largest, ...options })
    return hasCounts ? `${cell} ` : cell
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
  const more = rows.length - kept.length
  if (more > 0) lines.splice(kept.length, 0, colors.dim(`... and ${more} more`))
  return [colors.dim(head), ...lines]
}

/** The count that a full shade stands for; at least 1. */
export function largestOf(rows: readonly PictureRow[]): number {
  return rows.reduce((most, { counts }) => counts.reduce((a, b) => Math.max(a, b), most), 1)
}

export interface ShadeOptions extends Pick<PictureOptions, 'colors' | 'hasManyColors'> {
  /** Behind the shade; in colour they have one background. */
  readonly text?: string
  /** The count that a full shade stands for; a sum may be above it. */
  readonly largest: number
}

/** One cell: a character for the count's share of the largest one, and the text. */
export function shade(count: number, options: ShadeOptions): string {
  const { text = '', largest, colors, hasManyColors = false } = options
  if (count === 0) return `${colors.dim(ABSENT)}${text}`
  const share = Math.min(count / largest, 1)
  if (!hasManyColors) return `${colors.cyan(SHADES[levelOf(share, SHADES.length)])}${text}`
  const level = levelOf(share, RAMP.length)
  const ink = level < RAMP.length / 2 ? 15 : 16
  return `\u001b[48;5;${RAMP[level]};38;5;${ink}m ${text}\u001b[0m`
}

/** @param share above 0, at most 1 */
function levelOf(share: number, levels: number): number {
  return Math.ceil(share * levels) - 1
}
