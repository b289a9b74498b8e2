import { HEAT_LEVELS } from './chart-style.ts'
import { type Caption, svg, WIDTH } from './figure.ts'
import { shortLabels, widthOf } from './labels.ts'
import { html, type Markup } from './markup.ts'
import { type Domain } from './scale.ts'

export interface HeatMap extends Caption {
  readonly rows: readonly string[]
  readonly columns: readonly string[]
  /** [row][column]; null: there is no value. */
  readonly values: readonly (readonly (number | null)[])[]
  /** What the palest and the strongest colour stand for; values beyond take the nearer one. */
  readonly domain: Domain
  /** A value with its unit. */
  readonly format: (value: number) => string
  /** The same for the ends of the scale. */
  readonly end: (value: number) => string
  /** As short as can be, for cells; the unit is in the title. */
  readonly cell: (value: number) => string
  readonly rowLabel: string
  readonly columnLabel: string
}

const HEAD = 34
const LONGEST = 16
/** Cells up to which each tells its value when pointed at; beyond, those of one colour are one shape. */
const SINGLE_CELLS = 600

/** Rows by columns, each cell coloured by its value, with the value in it where there is room. */
export function heatMap(map: HeatMap): Markup {
  const { rows, columns, values, domain } = map
  const labels = shortLabels(rows, LONGEST)
  const left = Math.max(...labels.map(widthOf), widthOf(map.rowLabel)) + 8
  const width = Math.min(40, (WIDTH - left - 2) / columns.length)
  const height = heightOf(rows.length)
  const bottom = HEAD + rows.length * height
  const levelOf = (value: number): number => {
    const share = (value - domain[0]) / (domain[1] - domain[0])
    return Math.min(HEAT_LEVELS - 1, Math.max(0, Math.round(share * (HEAT_LEVELS - 1))))
  }
  const isSingle = rows.length * columns.length <= SINGLE_CELLS
  const hasText = isSingle && height >= 15 && widestCell(map) + 2 <= width

  const everyRow = Math.ceil(14 / height)
  const everyColumn = Math.ceil((Math.max(...columns.map(widthOf)) + 6) / width)
  const names = columns.every((name) => name.length <= 12) ? columns : columns.map((_, i) => `${i}`)
  const stepOfColumns = names === columns ? everyColumn : Math.ceil(20 / width)
  return svg(map, bottom + 30, [
    html`<text class="muted" x="2" y="${HEAD - 6}">${map.rowLabel}</text
      ><text class="muted" x="${left}" y="12">${map.columnLabel}</text>`,
    names.map((name, column) =>
      column % stepOfColumns > 0
        ? null
        : html`<text
            class="muted"
            text-anchor="middle"
            x="${left + (column + 0.5) * width}"
            y="${HEAD - 6}"
            >${name}</text
          >`,
    ),
    labels.map((label, row) =>
      row % everyRow > 0
        ? null
        : html`<text text-anchor="end" x="${left - 6}" y="${HEAD + (row + 0.5) * height + 4}"
            >${label}</text
          >`,
    ),
    isSingle
      ? values.map((own, row) =>
          own.map((value, column) => {
            const [x, y] = [left + column * width, HEAD + row * height]
            if (value === null)
              return html`<rect
                class="none"
                x="${x + 1}"
                y="${y + 1}"
                width="${width - 2}"
                height="${height - 2}"
              />`
            const text = hasText
              ? html`<text
                  class="o${levelOf(value)}"
                  text-anchor="middle"
                  x="${x + width / 2}"
                  y="${y + height / 2 + 4}"
                  >${map.cell(value)}</text
                >`
              : null
            return html`<g
              ><rect
                class="h${levelOf(value)}"
                x="${x + 0.5}"
                y="${y + 0.5}"
                width="${width - 1}"
                height="${height - 1}"
              />${text}<title>${rows[row]!}, ${columns[column]!}: ${map.format(value)}</title></g
            >`
          }),
        )
      : shapes(values, levelOf).map(
          (cells, level) =>
            html`<path
              class="h${level}"
              d="${cells.map(({ row, column, span }) => html`M${left + column * width} ${HEAD + row * height}h${span * width}v${height}h-${span * width}z`)}"
            />`,
        ),
    legend(map, left, bottom + 10),
  ])
}

function widestCell({ values, cell }: HeatMap): number {
  return values
    .flat()
    .reduce<number>(
      (widest, value) => Math.max(widest, value === null ? 0 : widthOf(cell(value))),
      0,
    )
}

function heightOf(rows: number): number {
  if (rows <= 12) return 22
  if (rows <= 30) return 16
  return rows <= 80 ? 8 : 4
}

interface Span {
  readonly row: number
  readonly column: number
  span: number
}

/** For each level its cells, neighbours in a row as one. */
function shapes(values: HeatMap['values'], levelOf: (value: number) => number): Span[][] {
  const levels = Array.from({ length: HEAT_LEVELS }, (): Span[] => [])
  for (const [row, own] of values.entries()) {
    for (const [column, value] of own.entries()) {
      if (value === null) continue
      const cells = levels[levelOf(value)]!
      const before = cells.at(-1)
      if (before?.row === row && before.column + before.span === column) before.span++
      else cells.push({ row, column, span: 1 })
    }
  }
  return levels
}

function legend({ domain, end }: HeatMap, left: number, y: number): Markup {
  const [low, high] = domain.map(end) as [string, string]
  const start = left + widthOf(low) + 6
  const boxes = Array.from(
    { length: HEAT_LEVELS },
    (_, level) =>
      html`<rect class="h${level}" x="${start + level * 12}" y="${y}" width="12" height="12" />`,
  )
  return html`<text class="muted" x="${left}" y="${y + 10}">${low}</text>${boxes}<text
      class="muted"
      x="${start + HEAT_LEVELS * 12 + 6}"
      y="${y + 10}"
      >${high}</text
    >`
}
