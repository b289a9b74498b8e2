import { type Content, html, type Markup } from './markup.ts'

/** Units of a chart’s width. A chart is as wide as a phone, so that its text is legible everywhere. */
export const WIDTH = 400

/** What every chart says of itself. */
export interface Caption {
  /** Of this chart alone on its page. */
  readonly id: string
  readonly title: string
  /** What can be seen, for those who cannot. */
  readonly description: string
}

/** An SVG image with a title and a description; it is styled by `CHART_STYLE`. */
export function svg({ id, title, description }: Caption, height: number, body: Content): Markup {
  return html`<svg
    class="chart"
    viewBox="0 0 ${WIDTH} ${height}"
    role="img"
    aria-labelledby="${id}-t ${id}-d"
  >
    <title id="${id}-t">${title}</title>
    <desc id="${id}-d">${description}</desc>
    ${body}
  </svg>`
}
