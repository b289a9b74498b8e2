/** Colours of one appearance. */
export interface Palette {
  readonly background: string
  readonly text: string
  /** Text that matters less, axes. */
  readonly muted: string
  /** Lines of a grid: they carry nothing. */
  readonly grid: string
  /** Of series: told apart by people who see few colours, each 3:1 or more against the background. */
  readonly series: readonly string[]
  /** Text on a colour of a series. */
  readonly onSeries: string
  /** Of heat maps, from nothing to most. */
  readonly heat: readonly string[]
  /** Text on each of them. */
  readonly onHeat: readonly string[]
}

const [INK, PAPER] = ['#14181f', '#ffffff']

export const LIGHT: Palette = {
  background: PAPER,
  text: INK,
  muted: '#555d68',
  grid: '#e1e5ea',
  series: ['#0067a5', '#b84700', '#00785a', '#a3286f', '#5a46b2', '#7d6200', '#4d7c0f', '#59636e'],
  onSeries: PAPER,
  heat: [
    '#eef3f9',
    '#d9e6f2',
    '#bfd6e9',
    '#9fc2de',
    '#7babd0',
    '#5b95c1',
    '#2f6ea3',
    '#1d5687',
    '#103d66',
  ],
  onHeat: [INK, INK, INK, INK, INK, INK, PAPER, PAPER, PAPER],
}

export const DARK: Palette = {
  background: '#14181f',
  text: '#e8ebef',
  muted: '#a7b0bb',
  grid: '#2c333d',
  series: ['#5ab0f0', '#ff9a52', '#3ccf9f', '#f18ac6', '#a99dff', '#e0c24a', '#a3d45a', '#bcc4cd'],
  onSeries: INK,
  heat: [
    '#1b222c',
    '#1e2f42',
    '#214059',
    '#255373',
    '#2c688f',
    '#5696bf',
    '#7db3d6',
    '#a6cfe9',
    '#d2e8f8',
  ],
  onHeat: [PAPER, PAPER, PAPER, PAPER, PAPER, INK, INK, INK, INK],
}

/** How many colours there are; series beyond them take the same ones with another dash. */
export const SERIES_COLOURS = LIGHT.series.length
export const HEAT_LEVELS = LIGHT.heat.length

/** Dashes of lines, for each turn through the colours. */
export const DASHES = ['none', '7 3', '2 3'] as const

/** What the charts need of the page that they are on, light and dark. */
export const CHART_STYLE = `
:root{color-scheme:light dark;${variables(LIGHT)}}
@media (prefers-color-scheme:dark){:root{${variables(DARK)}}}
.chart{display:block;width:100%;max-width:34rem;height:auto;font:12px system-ui,sans-serif;font-variant-numeric:tabular-nums}
.chart text{fill:var(--text)}
.chart .muted{fill:var(--muted)}
.chart .strong{font-weight:650}
.chart .grid{stroke:var(--grid);stroke-width:1;fill:none}
.chart .axis{stroke:var(--muted);stroke-width:1;fill:none}
.chart .line{fill:none;stroke:var(--c);stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
.chart .leader{fill:none;stroke:var(--c);stroke-width:1}
.chart .band{fill:var(--c);fill-opacity:.14}
.chart .mark{fill:var(--c);stroke:var(--background);stroke-width:1}
.chart .faint{fill:var(--c);fill-opacity:.4}
.chart .area{fill:var(--c)}
.chart text.on{fill:var(--on)}
.chart .none{fill:none;stroke:var(--grid);stroke-width:1}
${LIGHT.series.map((_, i) => `.c${i}{--c:var(--s${i})}`).join('')}.rest{--c:var(--muted)}
${LIGHT.heat.map((_, i) => `.h${i}{fill:var(--h${i})}.chart text.o${i}{fill:var(--o${i})}`).join('')}
`

function variables({
  background,
  text,
  muted,
  grid,
  series,
  onSeries,
  heat,
  onHeat,
}: Palette): string {
  return Object.entries({
    background,
    text,
    muted,
    grid,
    on: onSeries,
    ...Object.fromEntries(series.map((colour, i) => [`s${i}`, colour])),
    ...Object.fromEntries(heat.map((colour, i) => [`h${i}`, colour])),
    ...Object.fromEntries(onHeat.map((colour, i) => [`o${i}`, colour])),
  })
    .map(([name, colour]) => `--${name}:${colour};`)
    .join('')
}
