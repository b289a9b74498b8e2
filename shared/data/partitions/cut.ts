import type { Rng } from '../../numeric/rng.ts'

/** Cuts items into consecutive runs whose lengths differ by at most 1. */
export function cutEvenly<T>(items: readonly T[], parts: number): T[][] {
  return cutAt(items, parts, (part) => Math.floor((part * items.length) / parts))
}

/**
 * Cuts items into consecutive runs in the proportions of `shares`: run i ends at the rounded cumulative
 * share, so each length is within 1 of its exact value and none is lost.
 *
 * @param shares each >= 0, summing to 1
 */
export function cutByShares<T>(items: readonly T[], shares: Float64Array): T[][] {
  const cumulative = [0]
  for (const share of shares) cumulative.push(cumulative.at(-1)! + share)
  // The last sum may be 1 - 1e-13, which rounding takes care of.
  return cutAt(items, shares.length, (part) => Math.round(cumulative[part]! * items.length))
}

/**
 * Gives each client that has no example one, drawn from the client that then has most (the first of
 * equals). Li et al. 2022 (NIID-Bench) draw all shares again until everyone has 10, which for a small
 * alpha and many clients never ends.
 *
 * @param parts changed in place; there must be as many items as parts
 */
export function fillEmpty(parts: number[][], rng: Rng): void {
  for (const empty of parts.filter((part) => part.length === 0)) {
    const largest = parts.reduce((a, b) => (b.length > a.length ? b : a))
    empty.push(...largest.splice(Math.floor(rng.next() * largest.length), 1))
  }
}

function cutAt<T>(items: readonly T[], parts: number, end: (part: number) => number): T[][] {
  return Array.from({ length: parts }, (_, part) => items.slice(end(part), end(part + 1)))
}
