/** Colour of a contributor to a fusion by its slot; all others are grey. */
export const colourOf = (slot: number): string => (slot < 0 ? 'var(--rest)' : `var(--s${slot})`)
