import { type Caption, svg, WIDTH } from './figure.ts'
import { shortLabels, widthOf } from './labels.ts'
import { colourOf, markAt } from './marks.ts'
import { html, type Markup } from './markup.ts'
import { type Domain, linearScale, ticks } from './scale.ts'

export interface DotRow {
  readonly label: string
  readonly value: number
  /** Ends of the line around it; absent: there is none. */
  readonly band?: Domain
  /** What is written behind the dot: the value with its unit. */
  readonly text: string
  /** Single values that `value` sums up, drawn faintly. */
  readonly members?: readonly number[]
  /** What the chart is about, as against what it is compared with. */
  readonly isMain?: boolean
}

export interface DotChart extends Caption {
  readonly rows: readonly DotRow[]
  /** The same for charts that are compared with each other. */
  readonly domain: Domain
  /** A value of the axis with its unit. */
  readonly format: (value: number) => string
  /** Decides the colour of what the chart is about. */
  readonly style: number
}

const [TOP, FOOT, ROW] = [8, 26, 21]
const LONGEST = 25

/** One line a row: a dot for its value, a line for its deviation, the number behind it. */
export function dotChart(chart: DotChart): Markup {
  const { rows, domain, format } = chart
  const labels = shortLabels(
    rows.map(({ label }) => label),
    LONGEST,
  )
  const left = Math.max(...labels.map(widthOf)) + 12
  const right = WIDTH - Math.max(...rows.map(({ text }) => widthOf(text))) - 12
  const bottom = TOP + rows.length * ROW
  const x = linearScale(domain, [left, right])
  return svg(chart, bottom + FOOT, [
    ticks(domain, 3).map(
      (value) =>
        html`<path class="grid" d="M${x(value)} ${TOP}V${bottom}" /><text
            class="muted"
            text-anchor="middle"
            x="${x(value)}"
            y="${bottom + 16}"
            >${format(value)}</text
          >`,
    ),
    rows.map((row, i) => {
      const y = TOP + (i + 0.5) * ROW
      const { value, band, text, members = [], isMain = false } = row
      const weight = isMain ? 'strong' : ''
      return html`<g class="${isMain ? colourOf(chart.style) : 'rest'}"
        ><text class="${weight}" text-anchor="end" x="${left - 10}" y="${y + 4}">${labels[i]!}</text
        >${members.map(
          (member) => html`<circle class="faint" cx="${x(member)}" cy="${y}" r="2.5" />`,
        )}${
          band === undefined
            ? null
            : html`<path
                class="line"
                d="M${x(Math.max(domain[0], band[0]))} ${y}H${x(Math.min(domain[1], band[1]))}"
              />`
        }${markAt(isMain ? chart.style : 0, x(value), y)}<text
          class="${weight}"
          text-anchor="end"
          x="${WIDTH - 2}"
          y="${y + 4}"
          >${text}</text
        ></g
      >`
    }),
  ])
}
