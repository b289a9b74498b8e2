import { type Caption, svg, WIDTH } from './figure.ts'
import { shortLabels, spreadOut, widthOf } from './labels.ts'
import { colourOf, dashOf, markAt } from './marks.ts'
import { html, type Markup } from './markup.ts'
import { type Domain, linearScale, niceDomain, ticks } from './scale.ts'

export interface Point {
  readonly x: number
  readonly y: number
  /** Ends of the band around it; absent: there is none. */
  readonly band?: Domain
}

export interface Series {
  readonly label: string
  /** Decides colour, dash and mark. */
  readonly style: number
  /** By x; at least one. */
  readonly points: readonly Point[]
}

export interface LineChart extends Caption {
  /** At least one. */
  readonly series: readonly Series[]
  readonly xLabel: string
  readonly yLabel: string
  /** A value with its unit. */
  readonly format: (value: number) => string
  /** What the y axis does not leave. */
  readonly bounds?: Domain
}

const [TOP, FOOT, GAP] = [26, 38, 14.5]
/** Characters of a label at a line’s end. */
const LONGEST = 18
/** Points of a line up to which each has its mark. */
const MARKED = 12

/** Lines over whole numbers, e.g. rounds, each named at its end, with bands where there are any. */
export function lineChart(chart: LineChart): Markup {
  const { series, format } = chart
  const points = series.flatMap((one) => one.points)
  const yDomain = niceDomain(
    points.flatMap(({ y, band }) => [y, ...(band ?? [])]),
    chart.bounds,
  )
  const xs = points.map(({ x }) => x)
  const [first, last] = [Math.min(...xs), Math.max(...xs)]
  const xDomain: Domain = first === last ? [first - 1, last + 1] : [first, last]

  const marks = ticks(yDomain, 5)
  const labels = shortLabels(
    series.map(({ label }) => label),
    LONGEST,
  )
  const left = Math.max(...marks.map((value) => widthOf(format(value)))) + 10
  const right = WIDTH - Math.max(...labels.map(widthOf)) - 18
  const height = Math.max(250, TOP + FOOT + series.length * GAP)
  const bottom = height - FOOT
  const x = linearScale(xDomain, first === last ? [left, right] : [left + 6, right - 4])
  const y = linearScale(yDomain, [bottom, TOP])

  const ends = series.map((one) => y(one.points.at(-1)!.y))
  const places = spreadOut(ends, GAP, [TOP, bottom])
  return svg(chart, height, [
    html`<text class="muted" x="4" y="12">${chart.yLabel}</text>`,
    marks.map(
      (value) =>
        html`<path class="grid" d="M${left} ${y(value)}H${right}" /><text
            class="muted"
            text-anchor="end"
            x="${left - 6}"
            y="${y(value) + 4}"
            >${format(value)}</text
          >`,
    ),
    html`<path class="axis" d="M${left} ${bottom}H${right}" />`,
    ticks(first === last ? [first, first + 0.5] : xDomain, 6, 1).map(
      (value) =>
        html`<text class="muted" text-anchor="middle" x="${x(value)}" y="${bottom + 16}"
          >${value}</text
        >`,
    ),
    html`<text class="muted" text-anchor="middle" x="${(left + right) / 2}" y="${bottom + 32}"
      >${chart.xLabel}</text
    >`,
    series.map((one) => bandOf(one, x, y)),
    series.map((one) => lineOf(one, x, y, format)),
    series.map(
      ({ style, points: own, label }, i) =>
        html`<g class="${colourOf(style)}"
          ><path
            class="leader"
            d="M${x(own.at(-1)!.x) + 5} ${ends[i]!}L${right + 8} ${places[i]!}h4"
          /><text x="${right + 15}" y="${places[i]! + 4}"
            >${labels[i]!}${labels[i] === label ? null : html`<title>${label}</title>`}</text
          ></g
        >`,
    ),
  ])
}

type Scale = (value: number) => number

function bandOf({ points, style }: Series, x: Scale, y: Scale): Markup | null {
  const banded = points.flatMap(({ x: at, band }) => (band === undefined ? [] : [{ at, band }]))
  if (banded.length === 0) return null
  const upper = banded.map(({ at, band }) => html`${x(at)} ${y(band[1])} `)
  const lower = banded.toReversed().map(({ at, band }) => html`${x(at)} ${y(band[0])} `)
  // A single point has no area: its band is a line.
  const single = banded.length === 1 ? html`<path class="leader" d="M${upper}L${lower}" />` : null
  return html`<g class="${colourOf(style)}"
    ><path class="band" d="M${upper}L${lower}Z" />${single}</g
  >`
}

function lineOf(
  { points, style, label }: Series,
  x: Scale,
  y: Scale,
  format: LineChart['format'],
): Markup {
  const path = points.map((point) => html`${x(point.x)} ${y(point.y)} `)
  const marked = points.length <= MARKED ? points : points.slice(-1)
  return html`<g class="${colourOf(style)}"
    ><path class="line" stroke-dasharray="${dashOf(style)}" d="M${path}" />${marked.map(
      (point) =>
        html`<g
          >${markAt(style, x(point.x), y(point.y))}<title>
            ${label}, ${point.x}: ${format(point.y)}
          </title></g
        >`,
    )}</g
  >`
}
