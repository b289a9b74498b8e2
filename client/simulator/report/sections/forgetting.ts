import { heatMap } from '../../../../shared/charts/heat-map.ts'
import { lineChart } from '../../../../shared/charts/line-chart.ts'
import { html, type Markup } from '../../../../shared/charts/markup.ts'
import { details, figure, grid, type Section, table } from '../elements.ts'
import { type ClientForgetting, forgettingOf, type RoundForgetting } from '../forgetting.ts'
import { pointsSpread, roundPercent } from '../format.ts'
import { mean, type Spread, spreadOf } from '../../../../shared/numeric/spread.ts'
import type { StrategyRuns, Study } from '../study.ts'
import { seriesOf } from './rounds.ts'

interface Forgotten {
  readonly strategy: StrategyRuns
  /** Of each run. */
  readonly runs: readonly (readonly RoundForgetting[])[]
}

/** What is lost of what was known before; null where nothing can be, or nothing was measured. */
export function forgettingSection(study: Study): Section | null {
  const forgotten = study.strategies.map((strategy): Forgotten => ({
    strategy,
    runs: strategy.runs.map(forgettingOf),
  }))
  const isKnown = forgotten.some(({ runs }) =>
    runs.flat().some(({ published }) => published !== null),
  )
  if (!isKnown) return null
  const spreadIn = (of: StrategyRuns, round: number) => {
    const { runs } = forgotten.find(({ strategy }) => strategy === of)!
    return spreadOf(runs.flatMap((run) => run.find((one) => one.round === round)?.published ?? []))
  }
  return {
    id: 'forgetting',
    title: 'Forgetting',
    body: [
      html`<p>
        The mean over the classes of the largest accuracy that the published models of earlier
        rounds had on the class, less the accuracy now (<a href="https://arxiv.org/abs/2106.03097"
          >Lee et al. 2022</a
        >), in percentage points. 0: nothing is lost; below 0: more is known than ever before. A
        client’s network is held against the same past: what its local training lost, on classes
        that it has examples of and on those that it has none of.
      </p>`,
      figure({
        title: 'Forgetting of the published model',
        chart: lineChart({
          id: 'forgetting-rounds',
          title: 'Forgetting of the published model by round and strategy',
          description: 'From round 2 on; the last round’s numbers are in the table below.',
          series: seriesOf(study, spreadIn),
          xLabel: 'round',
          yLabel: 'forgetting, percentage points',
          format: (share) => roundPercent(share).replace(' %', '').replace('-', '−'),
        }),
      }),
      table({
        caption:
          'Forgetting in the last round, percentage points: published model, and the mean of the clients’ networks after local training',
        head: ['strategy', 'published', 'clients', 'classes they have', 'classes they lack'],
        rows: forgotten.map(({ strategy, runs }) => [
          strategy.name,
          said(spreadOf(runs.flatMap((run) => run.at(-1)?.published ?? []))),
          ...(['all', 'held', 'absent'] as const).map((part) => said(meanOfClients(runs, part))),
        ]),
      }),
      details('Client by client', grid(forgotten.map(byClient))),
    ],
  }
}

function meanOfClients(
  runs: Forgotten['runs'],
  part: Exclude<keyof ClientForgetting, 'client'>,
): Spread | null {
  return spreadOf(
    runs.flatMap(
      (run) => mean((run.at(-1)?.clients ?? []).flatMap((one) => one[part] ?? [])) ?? [],
    ),
  )
}

function byClient({ strategy, runs }: Forgotten): Markup | null {
  const [run = []] = runs
  const rounds = run.filter(({ clients }) => clients.some(({ all }) => all !== null))
  if (rounds.length === 0) return null
  const names = [...new Set(rounds.flatMap(({ clients }) => clients.map(({ client }) => client)))]
  const values = names.map((name) =>
    rounds.map(({ clients }) => clients.find(({ client }) => client === name)?.all ?? null),
  )
  const largest = values.flat().reduce<number>((most, value) => Math.max(most, value ?? 0), 0.01)
  return figure({
    title: `Clients of ${strategy.name}, seed ${strategy.runs[0]!.seed}`,
    chart: heatMap({
      id: `forgetting-clients-${strategy.style}`,
      title: `Forgetting of the clients of ${strategy.name} by round`,
      description: 'Of each client’s network after local training, over all classes.',
      rows: names,
      columns: rounds.map(({ round }) => String(round)),
      values,
      domain: [0, largest],
      format: (share) => `${(100 * share).toFixed(1)} points`,
      end: (share) => `${(100 * share).toFixed(0)} points`,
      cell: (share) => (100 * share).toFixed(0),
      rowLabel: 'client',
      columnLabel: 'round',
    }),
  })
}

function said(spread: Spread | null): string {
  return spread === null ? 'not measured' : pointsSpread(spread)
}
