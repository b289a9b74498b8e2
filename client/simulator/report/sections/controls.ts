import { dotChart, type DotRow } from '../../../../shared/charts/dot-chart.ts'
import { lineChart } from '../../../../shared/charts/line-chart.ts'
import { html } from '../../../../shared/charts/markup.ts'
import { type Domain, niceDomain } from '../../../../shared/charts/scale.ts'
import { judgedParents } from '../../../../shared/protocol/judged-parents.ts'
import { CONTROLS, MODELS } from '../candidates.ts'
import { details, figure, grid, type Section } from '../elements.ts'
import { percentSpread, roundPercent } from '../format.ts'
import { bandOf, spreadOf } from '../../../../shared/numeric/spread.ts'
import { atTheEnd, lastRound, overSeeds, type StrategyRuns, type Study } from '../study.ts'

/** Each strategy's last round beside everything that it has to beat. */
export function controlsSection(study: Study): Section {
  const { strategies, rounds } = study
  const rows = strategies.map(rowsOf)
  const values = rows
    .flat()
    .flatMap(({ value, band, members }) => [value, ...(band ?? []), ...(members ?? [])])
  const domain = niceDomain(values, [0, 1])
  return {
    id: 'controls',
    title: 'Beside the controls',
    body: [
      html`<p>
        The same test split and the same fine-tuning for all. Coloured: what the run made; grey:
        what it has to beat. Faint dots are single parents, of every seed. Lines are one standard
        deviation.
      </p>`,
      grid(
        strategies.map((strategy, i) =>
          figure({
            title: `${strategy.name}, last round`,
            chart: dotChart({
              id: `controls-${i}`,
              title: `Accuracy beside the controls: ${strategy.name}`,
              description: rows[i]!.map(({ label, text }) => `${label} ${text}`).join('; '),
              rows: rows[i]!,
              domain,
              format: roundPercent,
              style: strategy.style,
            }),
          }),
        ),
      ),
      rounds.length < 2
        ? null
        : details(
            'The controls round by round',
            grid(strategies.map((strategy) => byRound(study, strategy))),
          ),
    ],
  }
}

function rowsOf(strategy: StrategyRuns): DotRow[] {
  const parents = strategy.runs.flatMap((run) =>
    judgedParents(lastRound(run)).map(({ accuracy }) => accuracy),
  )
  const meanOfParents = spreadOf(parents)
  const measured = [...MODELS, ...CONTROLS].flatMap(({ label, scoreOf }, i) => {
    const spread = atTheEnd(strategy, (round) => scoreOf(round)?.accuracy)
    if (spread === null) return []
    const band = bandOf(spread)
    return {
      label,
      value: spread.mean,
      ...(band && { band }),
      text: percentSpread(spread),
      isMain: i < MODELS.length,
    }
  })
  if (meanOfParents === null) return measured
  return [
    ...measured,
    {
      label: 'parents, mean',
      value: meanOfParents.mean,
      text: percentSpread({ ...meanOfParents, deviation: null }),
      members: parents,
    },
  ]
}

function byRound({ rounds }: Study, strategy: StrategyRuns) {
  const series = [...MODELS, ...CONTROLS].flatMap(({ label, scoreOf }, style) => {
    const points = rounds.flatMap((round) => {
      const spread = overSeeds(strategy, round, (one) => scoreOf(one)?.accuracy)
      return spread === null ? [] : { x: round, y: spread.mean }
    })
    return points.length === 0 ? [] : { label, style, points }
  })
  const bounds: Domain = [0, 1]
  return figure({
    title: strategy.name,
    chart: lineChart({
      id: `controls-rounds-${strategy.style}`,
      title: `Accuracy of ${strategy.name} and its controls by round`,
      description: 'Means over the seeds; the numbers are in the tables of the section before.',
      series,
      xLabel: 'round',
      yLabel: 'accuracy on the test split',
      format: roundPercent,
      bounds,
    }),
  })
}
