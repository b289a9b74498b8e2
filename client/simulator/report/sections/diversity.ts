import { heatMap } from '../../../../shared/charts/heat-map.ts'
import { type Content, html, type Markup } from '../../../../shared/charts/markup.ts'
import type { DiversityReport } from '../../../../shared/protocol/diversity-report.ts'
import type { RoundReport } from '../../../../shared/protocol/run-report.ts'
import { details, figure, grid, type Section, table } from '../elements.ts'
import { numberSpread, percent, percentSpread, roundPercent } from '../format.ts'
import { mean } from '../../../../shared/numeric/spread.ts'
import { lastRound, overSeeds, type StrategyRuns, type Study } from '../study.ts'

type Pair = DiversityReport['pairs'][number]

interface Measure {
  readonly key: string
  readonly title: string
  readonly valueOf: (pair: Pair) => number | null
  readonly format: (value: number) => string
  readonly end: (value: number) => string
  readonly cell: (value: number) => string
  readonly domain: readonly [number, number]
}

const MEASURES: readonly Measure[] = [
  {
    key: 'disagreement',
    title: 'disagreement, % of the proxy examples',
    valueOf: ({ disagreement }) => disagreement,
    format: percent,
    end: roundPercent,
    cell: (share) => (100 * share).toFixed(0),
    domain: [0, 1],
  },
  {
    key: 'distance',
    title: 'distance of the weights',
    valueOf: ({ weightDistance }) => weightDistance,
    format: (distance) => distance.toFixed(2),
    end: String,
    cell: (distance) => distance.toFixed(2),
    domain: [0, 1],
  },
  {
    key: 'cka',
    title: 'CKA, mean over the levels',
    valueOf: ({ cka }) => mean(cka.flatMap((value) => value ?? [])),
    format: (similarity) => similarity.toFixed(2),
    end: String,
    cell: (similarity) => similarity.toFixed(2),
    domain: [0, 1],
  },
]

/** How far the parents were from each other before they were fused; null where there was one, or nobody looked. */
export function diversitySection({ strategies, rounds }: Study): Section | null {
  const shown = strategies.filter(({ runs }) => lastRound(runs[0]!).diversity !== undefined)
  if (shown.length === 0) return null
  const [disagreement, ...others] = MEASURES as [Measure, ...Measure[]]
  return {
    id: 'diversity',
    title: 'How different the parents were',
    body: [
      html`<p>
        Measured before fusion, between at most 8 parents. Disagreement: the share of proxy examples
        that two parents take for different classes. Distance of the weights after alignment: 0 is a
        copy, about 1 unrelated. CKA: 1 when the neurons of a level respond alike.
      </p>`,
      grid(shown.map((strategy) => matrix(strategy, disagreement))),
      details(
        'Distance of the weights, and CKA',
        grid(shown.flatMap((strategy) => others.map((measure) => matrix(strategy, measure)))),
      ),
      details(
        'Round by round',
        shown.map((strategy) => byRound(strategy, rounds)),
      ),
    ],
  }
}

function matrix(strategy: StrategyRuns, measure: Measure): Markup {
  const [run] = strategy.runs
  const { parents, pairs } = lastRound(run!).diversity!
  const valueOf = (a: string, b: string): number | null => {
    const pair = pairs.find(({ parents: [c, d] }) => (a === c && b === d) || (a === d && b === c))
    return pair === undefined ? null : measure.valueOf(pair)
  }
  return figure({
    title: `${strategy.name}: ${measure.title}`,
    chart: heatMap({
      id: `diversity-${measure.key}-${strategy.style}`,
      title: `${measure.title} between the parents of ${strategy.name}`,
      description: `Last round of seed ${run!.seed}, each parent beside each other one.`,
      rows: parents.map((parent, i) => `${parent} (${i + 1})`),
      columns: parents.map((_, i) => String(i + 1)),
      values: parents.map((a) => parents.map((b) => valueOf(a, b))),
      domain: measure.domain,
      format: measure.format,
      end: measure.end,
      cell: measure.cell,
      rowLabel: 'parent',
      columnLabel: `parent, by its number; seed ${run!.seed}, last round`,
    }),
  })
}

function byRound(strategy: StrategyRuns, rounds: readonly number[]): Content {
  const meanOf = (valueOf: Measure['valueOf']) => (report: RoundReport) =>
    mean((report.diversity?.pairs ?? []).flatMap((pair) => valueOf(pair) ?? []))
  const [disagreement, distance, cka] = MEASURES as [Measure, Measure, Measure]
  return table({
    caption: `Means over the pairs of parents: ${strategy.name}`,
    head: ['round', 'disagreement', 'distance of the weights', 'CKA', 'nt foreseen to be worth it'],
    rows: rounds.map((round) => {
      const share = (valueOf: (report: RoundReport) => number | null | undefined) => {
        const spread = overSeeds(strategy, round, valueOf)
        return spread === null ? 'not measured' : percentSpread(spread)
      }
      const number = (measure: Measure) => {
        const spread = overSeeds(strategy, round, meanOf(measure.valueOf))
        return spread === null ? 'not measured' : numberSpread(spread, 2)
      }
      return [
        round,
        share(meanOf(disagreement.valueOf)),
        number(distance),
        number(cka),
        share(({ diversity }) => diversity?.forecast?.probability),
      ]
    }),
  })
}
