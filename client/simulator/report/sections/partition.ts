import { heatMap } from '../../../../shared/charts/heat-map.ts'
import { html, type Markup } from '../../../../shared/charts/markup.ts'
import { type Holding, holdingsOf } from '../../holdings.ts'
import { details, figure, grid, type Section, table } from '../elements.ts'
import { counted } from '../format.ts'
import type { Study } from '../study.ts'

/** Cells up to which the numbers are in the page too. */
const MOST_NUMBERS = 5000

/** Who held what; null where no run says. */
export function partitionSection(study: Study): Section | null {
  const { seeds, strategies, classNames, first } = study
  const runs = seeds.map((seed) =>
    strategies.flatMap(({ runs: own }) => own).find((run) => run.seed === seed)!,
  )
  const dealt = runs.map((run) => ({ seed: run.seed, holdings: holdingsOf(run) }))
  const [shown, ...others] = dealt.filter(({ holdings }) => holdings.length > 0)
  if (shown === undefined) return null
  const cells = shown.holdings.length * classNames.length
  return {
    id: 'partition',
    title: 'Who had which examples',
    body: [
      html`<p>
        Training examples of each class at each
        client${first.settings?.rehearse === true ? ', the public proxy examples that all of them rehearse included' : ''}:
        partition <code>${first.partition}</code>. Strategies share it; another seed deals anew.
      </p>`,
      grid([mapOf(shown, classNames), totals(shown.holdings)]),
      cells > MOST_NUMBERS
        ? html`<p class="note">
            The numbers are in results.json, as <code>classCounts</code> of each parent.
          </p>`
        : details(
            'The numbers',
            table({
              caption: `Training examples by client and class, seed ${shown.seed}`,
              head: ['client', ...classNames, 'all'],
              rows: shown.holdings.map(({ client, counts }) => [client, ...counts, sum(counts)]),
            }),
          ),
      others.length === 0
        ? null
        : details('The other seeds', grid(others.map((one) => mapOf(one, classNames)))),
    ],
  }
}

function mapOf(
  { seed, holdings }: { readonly seed: number; readonly holdings: readonly Holding[] },
  classNames: readonly string[],
): Markup {
  const most = holdings.flatMap(({ counts }) => counts).reduce((a, b) => Math.max(a, b), 1)
  return figure({
    title: `Examples by client and class, seed ${seed}`,
    chart: heatMap({
      id: `partition-${seed}`,
      title: `Training examples by client and class, seed ${seed}`,
      description: `${holdings.length} clients, ${classNames.length} classes, at most ${most} examples of a class at a client.`,
      rows: holdings.map(({ client }) => client),
      columns: classNames,
      values: holdings.map(({ counts }) => counts.map((count) => (count === 0 ? null : count))),
      domain: [0, most],
      format: (count) => counted(count, 'example'),
      end: (count) => counted(count, 'example'),
      cell: String,
      rowLabel: 'client',
      columnLabel: 'class; an empty cell: none',
    }),
  })
}

function totals(holdings: readonly Holding[]): Markup {
  const sizes = holdings.map(({ counts }) => sum(counts)).sort((a, b) => a - b)
  const held = holdings.map(({ counts }) => counts.filter((count) => count > 0).length)
  const middle = sizes[Math.floor(sizes.length / 2)]!
  return table({
    caption: 'The clients in numbers',
    head: ['of a client', 'least', 'middle', 'most'],
    rows: [
      ['examples', sizes[0]!, middle, sizes.at(-1)!],
      [
        'classes',
        Math.min(...held),
        held.toSorted((a, b) => a - b)[Math.floor(held.length / 2)]!,
        Math.max(...held),
      ],
    ],
  })
}

const sum = (counts: readonly number[]): number => counts.reduce((a, b) => a + b, 0)
