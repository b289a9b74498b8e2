import { type Content, html } from '../../../../shared/charts/markup.ts'
import type { StudyReport } from '../../../../shared/protocol/study-report.ts'
import { details, type Section, table } from '../elements.ts'
import { percent } from '../format.ts'
import type { Study } from '../study.ts'

/** What it takes to make this again. */
export function provenanceSection(
  { seeds, first, strategies }: Study,
  report: StudyReport,
): Section {
  const all = (valueOf: (run: StudyReport['runs'][number]) => string) =>
    [...new Set(report.runs.map(valueOf))].join('; ')
  const facts: [string, Content][] = [
    ['seeds', seeds.join(', ')],
    ['data set', first.dataset],
    ['model', first.model],
    ['partition', first.partition],
    ['clients', first.clients],
    ['proxy set', `${first.proxy} examples`],
    ['Graft', all(({ version }) => version)],
    [
      'engine',
      all(({ engine, environment }) => [engine, environment?.engineVersion ?? ''].join(' ').trim()),
    ],
    ['Node.js', all(({ environment }) => environment?.node ?? 'not recorded')],
    ['platform', all(({ environment }) => environment?.platform ?? 'not recorded')],
    ['report made', report.madeAt],
  ]
  return {
    id: 'provenance',
    title: 'How it was made',
    body: [
      html`<p>
        The same settings, seed and engine give the same models, to the byte. Times differ.
      </p>`,
      html`<pre tabindex="0" role="region" aria-label="Command">${report.command}</pre>`,
      table({ caption: 'Facts', head: ['what', 'value'], rows: facts, isText: true }),
      details(
        'Every setting',
        html`<pre tabindex="0" role="region" aria-label="Settings">${settingsOf(first)}</pre>`,
      ),
      details(
        'Every run',
        table({
          caption: 'Published models by their SHA-256; equal models have equal ones',
          head: ['strategy', 'seed', 'rounds', 'accuracy', 'model'],
          isText: true,
          rows: strategies.flatMap(({ name, runs }) =>
            runs.map(({ seed, rounds, final }) => [
              name,
              seed,
              rounds.length,
              percent(final.accuracy),
              html`<code>${final.modelSha256}</code>`,
            ]),
          ),
        }),
      ),
    ],
  }
}

/** Without what the runs differ in, and without what may be thousands of numbers. */
function settingsOf({ settings }: StudyReport['runs'][number]): string {
  if (settings === undefined) return 'not recorded'
  const { data, ...rest } = settings
  const common = { ...rest, seed: undefined, strategy: undefined }
  const shown = data && { ...data, columns: undefined, normalisation: undefined }
  return JSON.stringify({ ...common, data: shown }, null, 2)
}
