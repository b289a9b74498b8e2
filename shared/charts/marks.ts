import { DASHES, SERIES_COLOURS } from './chart-style.ts'
import { html, type Markup } from './markup.ts'

/** Class of a series’ colour. */
export const colourOf = (series: number): string => `c${series % SERIES_COLOURS}`

export const dashOf = (series: number): string =>
  DASHES[Math.floor(series / SERIES_COLOURS) % DASHES.length]!

const SHAPES: readonly ((x: number, y: number) => Markup)[] = [
  (x, y) => html`<circle class="mark" cx="${x}" cy="${y}" r="3.5" />`,
  (x, y) => html`<rect class="mark" x="${x - 3.2}" y="${y - 3.2}" width="6.4" height="6.4" />`,
  (x, y) => html`<path class="mark" d="M${x} ${y - 4.4}l4.2 7.4h-8.4z" />`,
  (x, y) => html`<path class="mark" d="M${x} ${y - 4.6}l4.6 4.6l-4.6 4.6l-4.6-4.6z" />`,
  (x, y) => html`<path class="mark" d="M${x} ${y + 4.4}l4.2-7.4h-8.4z" />`,
]

/** A series’ mark: its shape says which one it is where its colour does not. */
export const markAt = (series: number, x: number, y: number): Markup =>
  SHAPES[series % SHAPES.length]!(x, y)
