import { type Content, html, type Markup } from '../../../../shared/charts/markup.ts'
import { type Candidate, CONTROLS, MODELS } from '../candidates.ts'
import { type Section, table } from '../elements.ts'
import { counted, percentSpread, pointsSpread } from '../format.ts'
import type { Spread } from '../../../../shared/numeric/spread.ts'
import { atTheEnd, type StrategyRuns, type Study } from '../study.ts'

/** How it ended, and whether it was worth it: controls decide. */
export function resultSection(study: Study): Section {
  const { strategies, seeds } = study
  const over = seeds.length > 1 ? `; mean ± standard deviation of ${seeds.length} seeds` : ''
  const accuracies = [...MODELS, ...CONTROLS]
  return {
    id: 'result',
    title: 'Result',
    body: [
      sentences(study).map(
        (sentence, i) => html`<p class="${i === 0 ? 'lead' : ''}">${sentence}</p>`,
      ),
      table({
        caption: `Accuracy on the test split in the last round${over}. The best published model is in bold.`,
        head: ['strategy', ...accuracies.map(({ label }) => label)],
        rows: strategies.map((strategy) => [
          strategy.name,
          ...accuracies.map((candidate): Content => {
            const spread = finalOf(strategy, candidate)
            if (spread === null) return 'not measured'
            const isBest = candidate.key === 'published' && strategy === ranked(strategies)[0]
            return isBest ? html`<strong>${percentSpread(spread)}</strong>` : percentSpread(spread)
          }),
        ]),
      }),
      table({
        caption: `Percentage points by which the published model is ahead of each control of its own run${over} of these differences. Below 0 it is behind.`,
        head: ['strategy', ...CONTROLS.map(({ label }) => label)],
        rows: strategies.map((strategy) => [
          strategy.name,
          ...CONTROLS.map((control) => {
            const ahead = aheadOf(strategy, control)
            return ahead === null ? 'not measured' : pointsSpread(ahead)
          }),
        ]),
      }),
    ],
  }
}

/** What the numbers say, without a verdict that they do not bear. */
function sentences({ strategies, seeds, first }: Study): Markup[] {
  const rounds = counted(first.rounds.length, 'round')
  const best = ranked(strategies)[0]!
  const accuracy = percentSpread(finalOf(best, MODELS[0]!)!)
  const lead =
    strategies.length === 1
      ? html`After ${rounds}, the model that <strong>${best.name}</strong> published is right on
          <strong>${accuracy}</strong> of the test split.`
      : html`After ${rounds}, <strong>${best.name}</strong> has the most accurate published model of
          ${strategies.length} strategies: <strong>${accuracy}</strong> on the test split.`
  const behind = CONTROLS.flatMap((control) => {
    const ahead = aheadOf(best, control)
    return ahead === null || isAhead(ahead)
      ? []
      : `${control.label} (${pointsSpread(ahead)} points)`
  })
  const verdict =
    behind.length === 0
      ? html`It is ahead of every control that was measured in its runs.`
      : html`It does not beat: ${behind.join(', ')}.`
  const single = html`One seed says nothing about chance: run several with
    <code>--seeds</code> before you believe a small difference.`
  const few = html`${seeds.length} seeds tell large differences from chance, not small ones.`
  return [lead, verdict, ...(seeds.length === 1 ? [single] : seeds.length < 5 ? [few] : [])]
}

/** By more than what is shown: less is rounding. */
const isAhead = ({ mean }: Spread): boolean => Math.round(mean * 1e4) > 0

function ranked(strategies: readonly StrategyRuns[]): StrategyRuns[] {
  const accuracyOf = (strategy: StrategyRuns) => finalOf(strategy, MODELS[0]!)!.mean
  return strategies.toSorted((a, b) => accuracyOf(b) - accuracyOf(a))
}

function finalOf(strategy: StrategyRuns, { scoreOf }: Candidate): Spread | null {
  return atTheEnd(strategy, (round) => scoreOf(round)?.accuracy)
}

/** Seed by seed, so that what a seed does to both is not counted. */
function aheadOf(strategy: StrategyRuns, { scoreOf }: Candidate): Spread | null {
  return atTheEnd(strategy, (round) => {
    const control = scoreOf(round)
    return control && round.published.accuracy - control.accuracy
  })
}
