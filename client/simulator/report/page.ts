import { html, Markup } from '../../../shared/charts/markup.ts'
import type { StudyReport } from '../../../shared/protocol/study-report.ts'
import { counted } from './format.ts'
import { PAGE_STYLE } from './page-style.ts'
import { classesSection } from './sections/classes.ts'
import { controlsSection } from './sections/controls.ts'
import { costSection } from './sections/cost.ts'
import { diversitySection } from './sections/diversity.ts'
import { forgettingSection } from './sections/forgetting.ts'
import { ledgerSection } from './sections/ledger.ts'
import { partitionSection } from './sections/partition.ts'
import { provenanceSection } from './sections/provenance.ts'
import { resultSection } from './sections/result.ts'
import { roundsSection } from './sections/rounds.ts'
import type { Study } from './study.ts'

/**
 * The whole report as one HTML page: no script, nothing that is loaded from elsewhere. The page forbids both to itself,
 * so that a name from a stranger could not change that.
 *
 * @param study of the runs of `report`
 */
export function reportPage(report: StudyReport, study: Study): string {
  const sections = [
    resultSection(study),
    roundsSection(study),
    controlsSection(study),
    classesSection(study),
    forgettingSection(study),
    partitionSection(study),
    diversitySection(study),
    ledgerSection(study),
    costSection(study),
    provenanceSection(study, report),
  ].filter((section) => section !== null)
  const title = `Graft report: ${study.strategies.map(({ name }) => name).join(', ')} on ${study.first.dataset}`
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta
          http-equiv="Content-Security-Policy"
          content="default-src 'none'; style-src 'unsafe-inline'"
        />
        <meta name="color-scheme" content="light dark" />
        <title>${title}</title>
        <style>
          ${new Markup(PAGE_STYLE)}
        </style>
      </head>
      <body>
        <a class="skip" href="#${sections[0]!.id}">Skip to the result</a>
        <header>
          <h1>${headline(study)}</h1>
          <p class="muted">${facts(study)}</p>
        </header>
        <nav aria-label="Sections">
          <ul>
            ${sections.map(({ id, title: name }) => html`<li><a href="#${id}">${name}</a></li>`)}
          </ul>
        </nav>
        <main>
          ${sections.map(
            ({ id, title: name, body }) =>
              html` <section aria-labelledby="${id}">
                <h2 id="${id}" tabindex="-1">${name}</h2>
                ${body}
              </section>`,
          )}
        </main>
        <footer>
          Made by Graft ${report.version}. All accuracies are top-1 on the data set’s own test
          split, which no client and no proxy set holds. The same numbers are in results.json and
          results.csv beside this page.
        </footer>
      </body>
    </html> `.text
}

function headline({ strategies, first }: Study): string {
  const [only] = strategies
  const what =
    strategies.length === 1 ? only!.name : counted(strategies.length, 'strategy', 'strategies')
  return `${what} on ${first.dataset}`
}

function facts({ first, rounds, seeds }: Study): string {
  const { model, partition, clients, proxy, engine } = first
  return [
    model,
    `partition ${partition}`,
    counted(clients, 'client'),
    counted(rounds.length, 'round'),
    counted(proxy, 'proxy example'),
    `${seeds.length === 1 ? 'seed' : 'seeds'} ${seeds.join(', ')}`,
    `${engine} engine`,
  ].join(' · ')
}
