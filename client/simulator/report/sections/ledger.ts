import { colourOf } from '../../../../shared/charts/marks.ts'
import { html, type Markup } from '../../../../shared/charts/markup.ts'
import { stripChart } from '../../../../shared/charts/strip-chart.ts'
import type { LedgerSummary } from '../../../../shared/protocol/ledger.ts'
import type { RunReport } from '../../../../shared/protocol/run-report.ts'
import { summariseLedger } from '../../../../shared/protocol/summarise-ledger.ts'
import { details, figure, grid, legend, type Section, table } from '../elements.ts'
import { counted, wholePercent } from '../format.ts'
import { lastRound, type StrategyRuns, type Study } from '../study.ts'

/** Clients that have a colour; the others are summed up. */
const COLOURED = 7

/** Whose neurons survive, level by level; null where no run has a ledger. */
export function ledgerSection({ strategies }: Study): Section | null {
  const shown = strategies.filter(({ runs }) => ledgerOf(runs[0]!) !== undefined)
  if (shown.length === 0) return null
  const others = shown.filter(({ runs }) => runs.length > 1)
  return {
    id: 'ledger',
    title: 'Whose neurons survive',
    body: [
      html`<p>
        For each group of neurons of the model that is published in the end, input side first, the
        share that each client’s neurons have in it, before any fine-tuning. A model that was kept
        has the neurons of the round it came from. An average takes a part of every neuron.
      </p>`,
      grid(shown.map((strategy) => stripsOf(strategy, strategy.runs[0]!))),
      others.length === 0
        ? null
        : details(
            'The other seeds',
            grid(
              others.flatMap((strategy) =>
                strategy.runs.slice(1).map((run) => stripsOf(strategy, run)),
              ),
            ),
          ),
      details(
        'The numbers',
        shown.map(({ name, runs: [run] }) => numbers(name, run!.seed, ledgerOf(run!)!)),
      ),
    ],
  }
}

function ledgerOf(run: RunReport): LedgerSummary | undefined {
  const { ledgerSummary, ledger } = lastRound(run)
  return ledgerSummary ?? (ledger && summariseLedger(ledger))
}

function stripsOf({ name, style }: StrategyRuns, run: RunReport): Markup | null {
  const ledger = ledgerOf(run)
  if (ledger === undefined) return null
  const { parents, groups } = ledger
  const overall = overallShares(ledger)
  const byShare = parents.map((_, i) => i).sort((a, b) => overall[b]! - overall[a]! || a - b)
  // All of them where there is a colour for each, in the clients' order; else the largest ones.
  const named =
    parents.length <= COLOURED + 1
      ? parents.map((_, i) => i)
      : byShare.slice(0, COLOURED).sort((a, b) => a - b)
  const rest = parents.map((_, i) => i).filter((i) => !named.includes(i))
  const restName = counted(rest.length, 'other client')
  const sumOf = (shares: readonly number[]) => rest.reduce((sum, i) => sum + shares[i]!, 0)
  return figure({
    title: `${name}, seed ${run.seed}`,
    chart: [
      stripChart({
        id: `ledger-${style}-${run.seed}`,
        title: `Whose neurons survive in the model of ${name}, seed ${run.seed}`,
        description: byShare
          .slice(0, COLOURED)
          .map((i) => `${parents[i]} ${wholePercent(overall[i]!)}`)
          .join(', '),
        strips: groups.map(({ name: group, neurons, shares }) => ({
          label: group,
          text: counted(neurons, 'neuron'),
          parts: [
            ...named.map((parent, i) => ({
              colour: colourOf(i),
              name: parents[parent]!,
              value: shares[parent]!,
            })),
            { colour: 'rest', name: restName, value: sumOf(shares) },
          ],
        })),
        whole: 1,
        format: wholePercent,
      }),
      legend([
        ...named.map((parent, i) => ({
          colour: colourOf(i),
          text: `${parents[parent]} ${wholePercent(overall[parent]!)}`,
        })),
        ...(rest.length === 0
          ? []
          : [{ colour: 'rest', text: `${restName} ${wholePercent(sumOf(overall))}` }]),
      ]),
    ],
  })
}

/** Of each parent, over all groups alike but for those that nothing went into. */
function overallShares({ parents, groups }: LedgerSummary): number[] {
  const filled = groups.filter(({ shares }) => shares.some((share) => share > 0))
  return parents.map(
    (_, i) => filled.reduce((sum, { shares }) => sum + shares[i]!, 0) / Math.max(1, filled.length),
  )
}

function numbers(name: string, seed: number, ledger: LedgerSummary): Markup {
  return table({
    caption: `Share of each client in the neurons of the model of ${name}, seed ${seed}`,
    head: ['client', ...ledger.groups.map((group) => group.name), 'all'],
    rows: ledger.parents.map((parent, i) => [
      parent,
      ...ledger.groups.map(({ shares }) => `${(100 * shares[i]!).toFixed(1)} %`),
      `${(100 * overallShares(ledger)[i]!).toFixed(1)} %`,
    ]),
  })
}
