import type { Colors } from '../../shared/command/text-stream.ts'
import type { LedgerReport } from '../../shared/protocol/ledger.ts'

const BAR = 40
const NAME_WIDTH = 22
/** Groups shown; the first and the last ones when there are more. */
const MOST = 16
/** Parents in turn, so that neighbours in a bar differ without colours too. */
const SHADES = ['█', '▒', '▓', '░'] as const

/**
 * Whose neurons survive: a bar for each group, cut by the parents' shares.
 *
 * @param shares of each parent over all groups
 * @returns lines, without line ends
 */
export function survivors(
  { parents, groups }: LedgerReport,
  shares: readonly number[],
  colors: Colors,
): string[] {
  const paints = [colors.cyan, colors.yellow, colors.magenta, colors.green]
  const shade = (parent: number, length: number): string =>
    paints[parent % paints.length]!(SHADES[parent % SHADES.length]!.repeat(length))
  const rows = groups.map(({ name, neurons }) => {
    const lengths = barLengths(
      parents.map((_, parent) => shareIn(neurons, parent)),
      BAR,
    )
    const bar = lengths.map((length, parent) => shade(parent, length)).join('')
    const rest = BAR - lengths.reduce((sum, length) => sum + length, 0)
    return `  ${clipped(name)} ${bar}${' '.repeat(rest)} ${neurons.length} neurons`
  })
  const legend = parents.map((file, parent) => {
    const share = `${((shares[parent] ?? 0) * 100).toFixed(0)} %`
    return `  ${shade(parent, 2)} ${share.padStart(5)}  ${file}`
  })
  return ['Whose neurons they are:', ...shortList(rows), ...legend]
}

/** Lengths that add up to the bar but for what nobody made: rounded ends, not rounded lengths. */
function barLengths(shares: readonly number[], width: number): number[] {
  let [sum, from] = [0, 0]
  return shares.map((share) => {
    sum += share
    const to = Math.min(width, Math.round(sum * width))
    const length = to - from
    from = to
    return length
  })
}

/** Mean share of a parent in the neurons of a group. */
function shareIn(neurons: LedgerReport['groups'][number]['neurons'], parent: number): number {
  const own = neurons.flat().filter(([of]) => of === parent)
  return own.reduce((sum, [, , share]) => sum + share, 0) / Math.max(1, neurons.length)
}

function shortList(rows: readonly string[]): string[] {
  if (rows.length <= MOST) return [...rows]
  const half = MOST / 2
  return [...rows.slice(0, half), `  ... ${rows.length - MOST} more`, ...rows.slice(-half)]
}

function clipped(name: string): string {
  return name.length <= NAME_WIDTH ? name.padEnd(NAME_WIDTH) : `${name.slice(0, NAME_WIDTH - 1)}…`
}
