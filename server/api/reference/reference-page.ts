import { TEN_LINES } from './ten-lines.ts'

/** As much of an OpenAPI document as the page shows. */
interface Document {
  readonly info: { readonly title: string; readonly version: string; readonly description?: string }
  readonly paths?: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components?: { readonly schemas?: Readonly<Record<string, unknown>> }
}

interface Operation {
  readonly summary?: string
  readonly description?: string
  readonly tags?: readonly string[]
  readonly 'x-graft-role'?: string
  readonly parameters?: readonly {
    readonly name: string
    readonly in: string
    readonly required?: boolean
    readonly description?: string
    readonly schema?: unknown
  }[]
  readonly requestBody?: {
    readonly content?: Readonly<Record<string, { readonly schema?: unknown }>>
  }
  readonly responses?: Readonly<
    Record<
      string,
      {
        readonly description?: string
        readonly content?: Readonly<Record<string, { readonly schema?: unknown }>>
      }
    >
  >
}

/** The reference as one page without scripts and without anything from elsewhere, made of the OpenAPI document itself. */
export function referencePage(document: Document): string {
  const operations = Object.entries(document.paths ?? {}).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  )
  const tags = [...new Set(operations.flatMap(({ operation }) => operation.tags ?? []))]
  const { title, version, description = '' } = document.info
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${text(title)} API reference</title>
<style>${STYLE}</style>
</head>
<body>
<header><h1>${text(title)} API <small>${text(version)}</small></h1><p>${inline(description)}</p></header>
<nav aria-label="Sections"><a href="#start">Start a run</a>${tags.map((tag) => ` <a href="#${tag}">${text(tag)}</a>`).join('')} <a href="#schemas">schemas</a></nav>
<main>
<section id="start">
<h2>Start a run with curl</h2>
<p>A coordinator that was started with <code>--stay</code> takes runs. Make a token with <code>graft token create --operator --role operator</code>,
set <code>GRAFT_TOKEN</code> to its secret and <code>GRAFT_URL</code> to the coordinator's address, let clients join with <code>graft client --stay</code>, and run these
ten lines in bash (they need curl and Node.js):</p>
<pre id="ten-lines">${text(TEN_LINES.join('\n'))}</pre>
<p>Every option of a run is one of <code>graft coordinator</code>; <a href="#get-/api/v1/run-form"><code>/api/v1/run-form</code></a> lists them.
A <code>requestId</code> is a UUID of your own: sent twice, a request is performed once, and answered the same for a day. Lists are pages: give <code>next</code> of one as <code>cursor</code> of the next.</p>
<p>Browsers sign in with <code>POST /api/v1/session</code>, get a cookie, and send the header <code>x-graft-csrf</code> with what changes something. The document itself is
<a href="/api/v1/openapi.json">openapi.json</a>. Live news come by socket.io on the namespace <code>/operator</code>.</p>
</section>
${tags.map((tag) => section(tag, operations)).join('\n')}
<section id="schemas"><h2>Schemas</h2>
${Object.entries(document.components?.schemas ?? {})
  .map(([name, schema]) => details(name, `schema-${name}`, schema))
  .join('\n')}
</section>
</main>
</body>
</html>
`
}

function section(
  tag: string,
  operations: readonly { path: string; method: string; operation: Operation }[],
): string {
  const own = operations.filter(({ operation }) => operation.tags?.includes(tag))
  return `<section id="${text(tag)}"><h2>${text(tag)}</h2>${own.map(article).join('\n')}</section>`
}

function article({
  path,
  method,
  operation,
}: {
  path: string
  method: string
  operation: Operation
}): string {
  const role = operation['x-graft-role'] ?? ''
  const parameters = (operation.parameters ?? []).map(
    (it) =>
      `<tr><td><code>${text(it.name)}</code>${it.required === true ? ' *' : ''}</td><td>${text(it.in)}</td><td>${text(it.description ?? '')}</td><td>${schemaOf(it.schema)}</td></tr>`,
  )
  const answers = Object.entries(operation.responses ?? {}).map(
    ([status, { description = '', content = {} }]) =>
      `<tr><td>${text(status)}</td><td colspan="2">${text(description === 'Default Response' ? '' : description)} ${Object.keys(content).map(text).join(', ')}</td><td>${Object.values(
        content,
      )
        .map((it) => schemaOf(it.schema))
        .join('')}</td></tr>`,
  )
  const body = Object.values(operation.requestBody?.content ?? {})[0]
  return `<article id="${method}-${text(path)}">
<h3><span class="method ${method}">${method.toUpperCase()}</span> <code>${text(path)}</code> <span class="role">${text(role)}</span></h3>
<p>${inline(operation.summary ?? '')}.${operation.description === undefined ? '' : ` ${inline(operation.description)}`}</p>
<table>
${parameters.join('\n')}
${body === undefined ? '' : `<tr><td>body *</td><td>JSON</td><td></td><td>${schemaOf(body.schema)}</td></tr>`}
${answers.join('\n')}
</table>
</article>`
}

/** A link to a named schema, or the schema itself, folded. */
function schemaOf(schema: unknown): string {
  if (schema === undefined) return ''
  const name = /^#\/components\/schemas\/(\w+)$/.exec(
    String((schema as { $ref?: string }).$ref),
  )?.[1]
  if (name !== undefined) return `<a href="#schema-${name}">${name}</a>`
  const json = JSON.stringify(schema)
  return json.length < 60 ? `<code>${text(json)}</code>` : details('schema', undefined, schema)
}

function details(name: string, id: string | undefined, schema: unknown): string {
  const anchor = id === undefined ? '' : ` id="${text(id)}"`
  return `<details${anchor}><summary>${text(name)}</summary><pre>${text(JSON.stringify(schema, null, 2))}</pre></details>`
}

/** Plain text with \`code\`. */
function inline(words: string): string {
  return text(words).replace(/\`([^\`]+)\`/g, '<code>$1</code>')
}

function text(words: string): string {
  return words
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}

const STYLE = `
:root { color-scheme: light dark; --line: light-dark(#d0d4da, #3a4048); --soft: light-dark(#f3f5f7, #1c2127); }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 0 auto; padding: 1rem; }
h1 small { font-weight: normal; opacity: .8; }
nav a { margin-right: .8rem; }
pre { background: var(--soft); padding: .8rem; overflow-x: auto; border-radius: .4rem; font-size: .85rem; }
article { border-top: 1px solid var(--line); padding: .5rem 0; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
td { border-top: 1px solid var(--line); padding: .25rem .6rem .25rem 0; vertical-align: top; }
.method { font-size: .8rem; padding: .1rem .4rem; border: 1px solid; border-radius: .3rem; }
.role { font-size: .8rem; font-weight: normal; opacity: .8; }
`
