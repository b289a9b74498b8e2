/** Text that is HTML or SVG already; everything else is escaped on its way into it. */
export class Markup {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** What a template takes; null leaves nothing. */
export type Content = Markup | string | number | null | readonly Content[]

/**
 * Builds markup; whatever is not markup is escaped, so names from strangers stay text, in elements and in
 * quoted attributes. Numbers keep two decimals, which is finer than a pixel.
 *
 * @throws RangeError for a number that is not finite
 */
export function html(strings: TemplateStringsArray, ...values: readonly Content[]): Markup {
  const parts = strings.map(onOneLine)
  return new Markup(parts.reduce((text, part, i) => text + written(values[i - 1] ?? null) + part))
}

/** Line ends of templates are for whoever reads the code: they would be a third of a page. */
function onOneLine(part: string): string {
  return part.replace(/\s*\n\s*(?=>)/g, '').replace(/\s*\n\s*/g, ' ')
}

function written(value: Content): string {
  if (value === null) return ''
  if (value instanceof Markup) return value.text
  if (typeof value === 'string') return escapeText(value)
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new RangeError(`${value} cannot be drawn`)
    return String(Math.round(value * 100) / 100)
  }
  return value.map(written).join('')
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escapeText(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character]!)
}
