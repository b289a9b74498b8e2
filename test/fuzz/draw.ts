import type { Rng } from '../../shared/numeric/rng.ts'

/** Uniform in 0..below - 1. */
export const integer = (rng: Rng, below: number): number => Math.floor(rng.next() * below)

export const pick = <Item>(rng: Rng, items: readonly Item[]): Item =>
  items[integer(rng, items.length)]!

export const bytes = (rng: Rng, length: number): Uint8Array =>
  Uint8Array.from({ length }, () => integer(rng, 256))

export const hex = (rng: Rng, digits: number): string =>
  Array.from({ length: digits }, () => integer(rng, 16).toString(16)).join('')

/** Flips one to four bits of a copy. */
export function flipBits(rng: Rng, original: Uint8Array, from = 0, to = original.length) {
  const flipped = Uint8Array.from(original)
  for (let n = integer(rng, 4); n >= 0; n--) {
    const at = from + integer(rng, to - from)
    flipped[at] = (flipped[at] ?? 0) ^ (1 << integer(rng, 8))
  }
  return flipped
}

export const joined = (...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array =>
  Uint8Array.from(parts.flatMap((part) => [...part]))

/** Draws until something fits; what never fits is a mistake in the generator. */
export function drawUntil<Drawn>(draw: () => Drawn, fits: (drawn: Drawn) => boolean): Drawn {
  for (let attempt = 0; attempt < 1000; attempt++) {
    const drawn = draw()
    if (fits(drawn)) return drawn
  }
  throw new Error('nothing malformed came of 1000 draws')
}
