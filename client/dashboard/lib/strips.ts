import type { LedgerSummary } from '../../../shared/protocol/ledger.ts'

/** Clients that have a colour of their own; the others are summed up. */
export const MOST_COLOURS = 8

/** A client that the picture names, or all those that it does not. */
export interface Contributor {
  /** The client's id; `null` sums up the others. */
  readonly client: string | null
  readonly label: string
  /** Which colour; -1 is the one of all others. */
  readonly slot: number
  /** Parents of the ledger that count here. */
  readonly parents: readonly number[]
  /** Mean over the levels that have neurons in them. */
  readonly share: number
}

/**
 * Whom the picture names: everybody where there is a colour for each, else the largest and whoever was looked for.
 * The order is that of the ledger, so that a client keeps its place from level to level and from round to round.
 *
 * @param sought a client that must be named, though it may have made little
 */
export function contributors(summary: LedgerSummary, sought: string | null = null): Contributor[] {
  const overall = overallShares(summary)
  const { parents } = summary
  const byShare = parents.map((_, i) => i).sort((a, b) => overall[b]! - overall[a]! || a - b)
  const largest = parents.length <= MOST_COLOURS ? byShare : byShare.slice(0, MOST_COLOURS - 1)
  const soughtAt = sought === null ? -1 : parents.indexOf(sought)
  const named = largest.includes(soughtAt) || soughtAt < 0 ? largest : [...largest, soughtAt]
  const rest = byShare.filter((i) => !named.includes(i))
  const own = named
    .toSorted((a, b) => a - b)
    .map((i, slot): Contributor => ({
      ...{ client: parents[i]!, label: parents[i]!, slot: slot % MOST_COLOURS },
      parents: [i],
      share: overall[i]!,
    }))
  if (rest.length === 0) return own
  const others: Contributor = {
    client: null,
    label: rest.length === 1 ? '1 other' : `${rest.length} others`,
    slot: -1,
    parents: rest,
    share: rest.reduce((sum, i) => sum + overall[i]!, 0),
  }
  return [...own, others]
}

/** Of each parent, over all levels alike but for those that nothing went into. */
function overallShares({ parents, groups }: LedgerSummary): number[] {
  const filled = groups.filter(({ shares }) => shares.some((share) => share > 0))
  return parents.map(
    (_, i) => filled.reduce((sum, { shares }) => sum + shares[i]!, 0) / Math.max(1, filled.length),
  )
}

export interface Segment {
  /** Index into the contributors. */
  readonly of: number
  readonly x: number
  readonly width: number
  readonly share: number
  /** Where one client ends and the next begins in a part of several, largest first; pixels. */
  readonly slices: readonly Slice[]
}

export interface Slice {
  readonly parent: number
  readonly x: number
  readonly width: number
  readonly share: number
}

export interface Ribbon {
  readonly of: number
  readonly path: string
}

export interface StripPicture {
  readonly strips: readonly {
    readonly name: string
    readonly neurons: number
    readonly y: number
    readonly segments: readonly Segment[]
  }[]
  /** Between one strip and the next, in the order of the contributors. */
  readonly ribbons: readonly Ribbon[]
  readonly height: number
}

export interface StripSize {
  readonly width: number
  readonly bar: number
  /** From the foot of one strip to the head of the next. */
  readonly gap: number
  /** Over the first strip, and over each, where its name stands. */
  readonly head: number
}

/** Where everything is: a strip a level, and a ribbon for each client from its part of a level to that of the next. */
export function layOutStrips(
  { groups }: LedgerSummary,
  shown: readonly Contributor[],
  { width, bar, gap, head }: StripSize,
): StripPicture {
  const strips = groups.map(({ name, neurons, shares }, row) => {
    let x = 0
    const segments = shown.map(({ parents }, of): Segment => {
      const share = parents.reduce((sum, i) => sum + shares[i]!, 0)
      const slices = parents.length === 1 ? [] : sliced(parents, shares, { x, width })
      const segment = { of, x, width: share * width, share, slices }
      x += segment.width
      return segment
    })
    return { name, neurons, segments, y: head + row * (bar + gap) }
  })
  const ribbons = strips.slice(1).flatMap((below, i) => {
    const above = strips[i]!
    return below.segments.flatMap((to, of) => {
      const from = above.segments[of]!
      if (from.width < 0.25 && to.width < 0.25) return []
      return { of, path: ribbonPath(from, to, { top: above.y + bar, bottom: below.y }) }
    })
  })
  return { strips, ribbons, height: head + strips.length * (bar + gap) - gap }
}

function sliced(
  parents: readonly number[],
  shares: readonly number[],
  { x, width }: { readonly x: number; readonly width: number },
): Slice[] {
  let at = x
  return parents
    .filter((parent) => shares[parent]! > 0)
    .sort((a, b) => shares[b]! - shares[a]!)
    .map((parent) => {
      const share = shares[parent]!
      const slice = { parent, x: at, width: share * width, share }
      at += slice.width
      return slice
    })
}

function ribbonPath(
  from: Segment,
  to: Segment,
  { top, bottom }: { top: number; bottom: number },
): string {
  const middle = (top + bottom) / 2
  const down = (x0: number, x1: number) =>
    `C${r(x0)} ${middle} ${r(x1)} ${middle} ${r(x1)} ${bottom}`
  const up = (x0: number, x1: number) => `C${r(x0)} ${middle} ${r(x1)} ${middle} ${r(x1)} ${top}`
  return `M${r(from.x)} ${top}${down(from.x, to.x)}H${r(to.x + to.width)}${up(to.x + to.width, from.x + from.width)}Z`
}

/** Finer than a pixel, and short. */
const r = (value: number): number => Math.round(value * 10) / 10
