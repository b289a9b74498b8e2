import { html } from '../../../../shared/charts/markup.ts'
import { lineChart, type Series } from '../../../../shared/charts/line-chart.ts'
import { CONTROLS, MODELS } from '../candidates.ts'
import { details, figure, pair, type Section, table } from '../elements.ts'
import { numberSpread, percentSpread, roundPercent } from '../format.ts'
import { bandOf, type Spread } from '../../../../shared/numeric/spread.ts'
import { overSeeds, type StrategyRuns, type Study } from '../study.ts'

/** Accuracy and loss of the published models, round by round. */
export function roundsSection(study: Study): Section {
  const { strategies, rounds, seeds } = study
  const band = seeds.length > 1 ? ` Bands are one standard deviation of ${seeds.length} seeds.` : ''
  const columns = [...MODELS, ...CONTROLS]
  return {
    id: 'rounds',
    title: 'Accuracy and loss by round',
    body: [
      pair([
        figure({
          title: 'Accuracy of the published model',
          chart: lineChart({
            id: 'rounds-accuracy',
            title: 'Accuracy of the published model by round and strategy',
            description: describeEnds(strategies, rounds),
            series: seriesOf(study, (strategy, round) =>
              overSeeds(strategy, round, ({ published }) => published.accuracy),
            ),
            xLabel: 'round',
            yLabel: 'accuracy on the test split',
            format: roundPercent,
            bounds: [0, 1],
          }),
        }),
        figure({
          title: 'Loss of the published model',
          chart: lineChart({
            id: 'rounds-loss',
            title: 'Loss of the published model by round and strategy',
            description:
              'The same models by their mean cross-entropy in nats; the numbers are in the table below.',
            series: seriesOf(study, (strategy, round) =>
              overSeeds(strategy, round, ({ published }) => published.loss),
            ),
            xLabel: 'round',
            yLabel: 'mean cross-entropy on the test split, nats',
            format: (value) => String(Number(value.toPrecision(6))),
            bounds: [0, Infinity],
          }),
        }),
      ]),
      html`<p class="note">
        A round publishes its model only if that is better than the one before on the held-out proxy
        examples, so a line may stay level.${band}
      </p>`,
      strategies.map((strategy) =>
        details(`Every round of ${strategy.name}`, [
          table({
            caption: `Accuracy on the test split by round: ${strategy.name}`,
            head: ['round', ...columns.map(({ label }) => label)],
            rows: rounds.map((round) => [
              round,
              ...columns.map(({ scoreOf }) =>
                said(
                  overSeeds(strategy, round, (one) => scoreOf(one)?.accuracy),
                  percentSpread,
                ),
              ),
            ]),
          }),
          table({
            caption: `Loss on the test split by round, in nats: ${strategy.name}`,
            head: ['round', ...columns.map(({ label }) => label)],
            rows: rounds.map((round) => [
              round,
              ...columns.map(({ scoreOf }) =>
                said(
                  overSeeds(strategy, round, (one) => scoreOf(one)?.loss),
                  (spread) => numberSpread(spread, 4),
                ),
              ),
            ]),
          }),
        ]),
      ),
    ],
  }
}

/** A line for each strategy; one without any value is left out. */
export function seriesOf(
  { strategies, rounds }: Study,
  spreadIn: (strategy: StrategyRuns, round: number) => Spread | null,
): Series[] {
  return strategies.flatMap((strategy) => {
    const points = rounds.flatMap((round) => {
      const spread = spreadIn(strategy, round)
      if (spread === null) return []
      const band = bandOf(spread)
      return { x: round, y: spread.mean, ...(band && { band }) }
    })
    return points.length === 0 ? [] : { label: strategy.name, style: strategy.style, points }
  })
}

function describeEnds(strategies: readonly StrategyRuns[], rounds: readonly number[]): string {
  const [first, last] = [rounds[0]!, rounds.at(-1)!]
  const at = (strategy: StrategyRuns, round: number) =>
    said(
      overSeeds(strategy, round, ({ published }) => published.accuracy),
      percentSpread,
    )
  return strategies
    .map((strategy) =>
      first === last
        ? `${strategy.name}: ${at(strategy, last)} in round ${last}.`
        : `${strategy.name}: from ${at(strategy, first)} in round ${first} to ${at(strategy, last)} in round ${last}.`,
    )
    .join(' ')
}

function said(spread: Spread | null, format: (spread: Spread) => string): string {
  return spread === null ? 'not measured' : format(spread)
}
