import { type Content, html, type Markup } from '../../../shared/charts/markup.ts'

/** A part of the page that its table of contents names. */
export interface Section {
  /** Of its heading, for links. */
  readonly id: string
  readonly title: string
  readonly body: Content
}

export interface TableContent {
  readonly caption: string
  readonly head: readonly string[]
  /** The first cell names the row. */
  readonly rows: readonly (readonly Content[])[]
  /** Cells are words, not numbers. */
  readonly isText?: boolean
}

/** Numbers in columns; where it is wider than the page, it is scrolled by itself. */
export function table({ caption, head, rows, isText = false }: TableContent): Markup {
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0">
    <table class="${isText ? 'words' : ''}">
      <caption>
        <span>${caption}</span>
      </caption>
      <thead>
        <tr>
          ${head.map((text) => html`<th scope="col">${text}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          ([name = null, ...cells]) =>
            html`<tr>
              <th scope="row">${name}</th>
              ${cells.map((cell) => html`<td>${cell}</td>`)}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`
}

export interface FigureContent {
  readonly title: string
  readonly chart: Content
  /** What has to be known to read it. */
  readonly note?: Content
}

export function figure({ title, chart, note = null }: FigureContent): Markup {
  return html`<figure>
    <figcaption>${title}</figcaption>
    ${chart}${note === null ? null : html`<p class="note">${note}</p>`}
  </figure>`
}

/** Charts beside each other, as many as there is room for. */
export function grid(figures: Content): Markup {
  return html`<div class="figures">${figures}</div>`
}

/** Two charts that matter most, larger than others. */
export function pair(figures: Content): Markup {
  return html`<div class="figures pair">${figures}</div>`
}

/** What is there for whoever asks. */
export function details(summary: string, body: Content): Markup {
  return html`<details>
    <summary>${summary}</summary>
    ${body}
  </details>`
}

export interface LegendItem {
  /** Class of its colour. */
  readonly colour: string
  readonly text: string
}

export function legend(items: readonly LegendItem[]): Markup {
  return html`<ul class="legend">
    ${items.map(({ colour, text }) => html`<li class="${colour}">${text}</li>`)}
  </ul>`
}
