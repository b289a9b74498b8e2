import { heatMap } from '../../../../shared/charts/heat-map.ts'
import { type Content, html } from '../../../../shared/charts/markup.ts'
import { niceDomain } from '../../../../shared/charts/scale.ts'
import { details, figure, grid, type Section, table } from '../elements.ts'
import { percent, percentSpread, roundPercent, wholePercent } from '../format.ts'
import { atTheEnd, lastRound, overSeeds, type StrategyRuns, type Study } from '../study.ts'

/** What each class has of it; null where no run says. */
export function classesSection(study: Study): Section | null {
  const { strategies, classNames, rounds } = study
  const atEnd = strategies.map((strategy) =>
    classNames.map((_, label) =>
      atTheEnd(strategy, ({ published }) => published.classAccuracy?.[label]),
    ),
  )
  if (atEnd.flat().every((spread) => spread === null)) return null
  return {
    id: 'classes',
    title: 'Accuracy by class',
    body: [
      html`<p>The share of each class’s test examples that are taken for it.</p>`,
      figure({
        title: 'Published model, last round, in %',
        chart: heatMap({
          ...SHARES,
          // Accuracies lie close together in the end: the whole scale would hide what differs.
          domain: niceDomain(
            atEnd.flat().flatMap((spread) => spread?.mean ?? []),
            [0, 1],
          ),
          id: 'classes-end',
          title: 'Accuracy of the published models by class, last round',
          description: 'Means over the seeds; the numbers are in the table below.',
          rows: strategies.map(({ name }) => name),
          columns: classNames,
          values: atEnd.map((row) => row.map((spread) => spread?.mean ?? null)),
          rowLabel: 'strategy',
        }),
      }),
      details(
        'The numbers',
        table({
          caption: 'Accuracy by class: published models, last round',
          head: ['class', ...strategies.map(({ name }) => name)],
          rows: classNames.map((name, label) => [
            name,
            ...atEnd.map((row) => {
              const spread = row[label]
              return spread ? percentSpread(spread) : 'not measured'
            }),
          ]),
        }),
      ),
      rounds.length < 2
        ? null
        : details(
            'The published models round by round',
            grid(strategies.map((strategy) => byRound(study, strategy))),
          ),
      details(
        'The parents of the last round, as they were uploaded',
        grid(strategies.map((strategy) => byParent(study, strategy))),
      ),
    ],
  }
}

const SHARES = {
  domain: [0, 1],
  format: percent,
  end: roundPercent,
  cell: (share: number) => String(Math.round(100 * share)),
  columnLabel: 'class',
} as const

function byRound({ rounds, classNames }: Study, strategy: StrategyRuns): Content {
  return figure({
    title: `${strategy.name}, in %`,
    chart: heatMap({
      ...SHARES,
      id: `classes-rounds-${strategy.style}`,
      title: `Accuracy of ${strategy.name} by round and class`,
      description: `Of its published models, from ${wholePercent(0)} to ${wholePercent(1)}, means over the seeds.`,
      rows: rounds.map((round) => `round ${round}`),
      columns: classNames,
      values: rounds.map((round) =>
        classNames.map(
          (_, label) =>
            overSeeds(strategy, round, ({ published }) => published.classAccuracy?.[label])?.mean ??
            null,
        ),
      ),
      rowLabel: 'round',
    }),
  })
}

function byParent({ classNames }: Study, strategy: StrategyRuns): Content {
  const [run] = strategy.runs
  const { parents } = lastRound(run!)
  return figure({
    title: `Parents of ${strategy.name}, seed ${run!.seed}, in %`,
    chart: heatMap({
      ...SHARES,
      id: `classes-parents-${strategy.style}`,
      title: `Accuracy of the parents of ${strategy.name} by class`,
      description: 'Each client’s own network on the test split, before fusion.',
      rows: parents.map(({ client }) => client),
      columns: classNames,
      values: parents.map(({ classAccuracy }) =>
        classNames.map((_, label) => classAccuracy?.[label] ?? null),
      ),
      rowLabel: 'client',
    }),
  })
}
