import { classPicture, largestOf, type PictureOptions, type PictureRow, shade } from './picture.ts'

/** Clients that have a line each; more of them stand side by side. */
const MOST_LINES = 40
/** Lines that a map of many clients takes, before neighbours share a character. */
const MOST_MAP_LINES = 64

export interface PartitionRows {
  /** Null: it is not known. */
  readonly proxy: PictureRow | null
  /** By client. */
  readonly clients: readonly PictureRow[]
}

/**
 * Who has how many examples of which class, as a heat map with sums. Up to 40 clients have a line each, with
 * their counts. More of them have a column each: one character for each class, in blocks as wide as the
 * terminal; where that would fill more than 64 lines, neighbours share a column, shaded by their mean.
 *
 * @returns lines, without line ends
 */
export function partitionPicture(
  { proxy, clients }: PartitionRows,
  options: PictureOptions,
): string[] {
  const all = { name: 'all clients', counts: sumOf(clients) }
  const before = proxy === null ? [] : [proxy]
  if (clients.length <= MOST_LINES) {
    return [
      summaryOf(clients),
      ...classPicture([...before, ...clients], { ...options, sums: [all] }),
    ]
  }
  return [
    summaryOf(clients),
    ...classPicture(before, { ...options, sums: [all] }),
    ...clientMap(clients, options),
  ]
}

/** As in `200 clients of 12 to 934 examples (median 270), 1 to 9 of 10 classes each`. */
function summaryOf(clients: readonly PictureRow[]): string {
  const sizes = clients.map(({ counts }) => total(counts)).sort((a, b) => a - b)
  const held = clients.map(({ counts }) => counts.filter((count) => count > 0).length)
  const range = (least: number, most: number) =>
    least === most ? String(least) : `${least} to ${most}`
  const of = range(sizes[0]!, sizes.at(-1)!)
  const median =
    clients.length > 2 && sizes[0] !== sizes.at(-1)
      ? ` (median ${sizes[Math.floor(sizes.length / 2)]!})`
      : ''
  const classes = range(Math.min(...held), Math.max(...held))
  const noun = clients.length === 1 ? 'client' : 'clients'
  return `${clients.length} ${noun} of ${of} examples${median}, ${classes} of ${clients[0]!.counts.length} classes each`
}

function clientMap(clients: readonly PictureRow[], options: PictureOptions): string[] {
  const numClasses = clients[0]!.counts.length
  const { columns, colors } = options
  const nameWidth = `class ${numClasses - 1}`.length
  const totalWidth = Math.max(...sumOf(clients).map((sum) => String(sum).length))
  const width = Math.max(10, columns - nameWidth - totalWidth - 2)
  const blocks = Math.max(1, Math.floor(MOST_MAP_LINES / (numClasses + 1)))
  const share = Math.ceil(clients.length / (blocks * width))
  const cells = chunks(clients, share)
  const means = cells.map((cell) => ({
    name: '',
    counts: sumOf(cell).map((sum) => sum / cell.length),
  }))
  const largest = largestOf(means)
  const lines = chunks(means, width).flatMap((block, b) => {
    const first = b * width
    const held = cells.slice(first, first + width).flat()
    const sums = sumOf(held)
    const head = `${''.padEnd(nameWidth)} ${ruler(first * share, block.length, share)}`
    return [
      colors.dim(head),
      ...Array.from({ length: numClasses }, (_, c) => {
        const shades = block.map(({ counts }) => shade(counts[c]!, { ...options, largest }))
        return `${`class ${c}`.padEnd(nameWidth)} ${shades.join('')} ${String(sums[c]).padStart(totalWidth)}`
      }),
    ]
  })
  const meaning = share === 1 ? '' : `; a character is the mean of ${share} clients side by side`
  return [colors.dim(`Clients from left to right${meaning}:`), ...lines]
}

/** The number of the client at every tenth character. */
function ruler(first: number, length: number, share: number): string {
  let text = ''
  for (let at = 0; at < length; at += 10) {
    const number = String(first + at * share)
    text = text.padEnd(at) + (at + number.length <= length ? number : '')
  }
  return text
}

function sumOf(rows: readonly PictureRow[]): number[] {
  return rows[0]!.counts.map((_, c) => rows.reduce((sum, { counts }) => sum + counts[c]!, 0))
}

function total(counts: readonly number[]): number {
  return counts.reduce((a, b) => a + b, 0)
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) =>
    items.slice(i * size, (i + 1) * size),
  )
}
