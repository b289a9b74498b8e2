import { type Caption, svg, WIDTH } from './figure.ts'
import { shortLabels, widthOf } from './labels.ts'
import { html, type Markup } from './markup.ts'

export interface StripPart {
  /** Class of its colour: that of a series, or `rest`. */
  readonly colour: string
  readonly name: string
  /** From 0; what all parts of the longest strip sum up to fills the width. */
  readonly value: number
}

export interface Strip {
  readonly label: string
  readonly parts: readonly StripPart[]
  /** What is written behind it. */
  readonly text: string
}

export interface StripChart extends Caption {
  /** At least one. */
  readonly strips: readonly Strip[]
  /** What fills the width. */
  readonly whole: number
  /** A value with its unit. */
  readonly format: (value: number) => string
}

const [ROW, BAR] = [40, 18]
const LONGEST = 40

/** Stacked strips under each other, each below its name, with the values in them where there is room. */
export function stripChart(chart: StripChart): Markup {
  const { strips, whole, format } = chart
  const labels = shortLabels(
    strips.map(({ label }) => label),
    LONGEST,
  )
  return svg(
    chart,
    strips.length * ROW + 4,
    strips.map(({ parts, text }, i) => {
      const y = i * ROW + 18
      let x = 0
      const drawn = parts.map(({ colour, name, value }) => {
        const width = (value / whole) * WIDTH
        const from = x
        x += width
        if (width < 0.05) return null
        const said = format(value)
        const fits = widthOf(said) + 6 <= width
        return html`<g class="${colour}"
          ><rect
            class="area"
            x="${from}"
            y="${y}"
            width="${Math.max(0.3, width - 1)}"
            height="${BAR}"
          />${fits ? html`<text class="on" text-anchor="middle" x="${from + (width - 1) / 2}" y="${y + 13}">${said}</text>` : null}<title>
            ${name}: ${said}
          </title></g
        >`
      })
      return html`<text x="0" y="${y - 5}">${labels[i]!}</text
        ><text class="muted" text-anchor="end" x="${WIDTH}" y="${y - 5}">${text}</text>${drawn}`
    }),
  )
}
