import { judgedParents } from '../../../shared/protocol/judged-parents.ts'
import type { RoundReport, RunReport } from '../../../shared/protocol/run-report.ts'
import { CONTROLS, MODELS } from './candidates.ts'
import { forgettingOf } from './forgetting.ts'
import { mean } from '../../../shared/numeric/spread.ts'
import type { Study } from './study.ts'

type Cell = string | number | boolean | null | undefined

/**
 * One row a strategy, seed and round (RFC 4180: quoted where need be, lines end in CR LF). Accuracies are shares from 0
 * to 1 and losses nats, both on the test split; times are seconds; what was not measured is empty.
 */
export function resultsCsv({ strategies, classNames }: Study): string {
  const rows = strategies.flatMap(({ runs }) =>
    runs.flatMap((run) => rowsOf(run, classNames.length)),
  )
  const lines = [Object.keys(rows[0]!), ...rows.map((row) => Object.values(row))]
  return lines.map((cells) => `${cells.map(written).join(',')}\r\n`).join('')
}

function rowsOf(run: RunReport, numClasses: number): Record<string, Cell>[] {
  const forgotten = forgettingOf(run)
  return run.rounds.map((round) => {
    const own = forgotten.find((one) => one.round === round.round)
    return {
      strategy: run.strategy,
      seed: run.seed,
      round: round.round,
      cohort: round.cohort,
      uploads: round.uploads,
      ...scoresOf(round),
      published_candidate: round.published.candidate,
      published_is_new: round.published.isNew,
      published_model_sha256: round.published.modelSha256,
      parents_mean_accuracy: mean(judgedParents(round).map(({ accuracy }) => accuracy)),
      forgetting_published: own?.published,
      forgetting_clients_mean: mean((own?.clients ?? []).flatMap(({ all }) => all ?? [])),
      parents_mean_disagreement: pairs(round, ({ disagreement }) => disagreement),
      parents_mean_weight_distance: pairs(round, ({ weightDistance }) => weightDistance),
      ...Object.fromEntries(
        Object.entries(round.seconds).map(([phase, time]) => [`seconds_${phase}`, time]),
      ),
      bytes_up: round.bytes.up,
      bytes_down: round.bytes.down,
      peak_rss_mib: round.peakRssMb,
      ...Object.fromEntries(
        Array.from({ length: numClasses }, (_, label) => [
          `published_accuracy_class_${label}`,
          round.published.classAccuracy?.[label],
        ]),
      ),
    }
  })
}

function scoresOf(round: RoundReport): Record<string, Cell> {
  return Object.fromEntries(
    [...MODELS, ...CONTROLS].flatMap(({ key, scoreOf }) => {
      const score = scoreOf(round)
      return [
        [`${key}_accuracy`, score?.accuracy],
        [`${key}_loss`, score?.loss],
      ]
    }),
  )
}

type Pair = NonNullable<RoundReport['diversity']>['pairs'][number]

function pairs({ diversity }: RoundReport, valueOf: (pair: Pair) => number | null): number | null {
  return mean((diversity?.pairs ?? []).flatMap((pair) => valueOf(pair) ?? []))
}

function written(cell: Cell): string {
  const text = String(cell ?? '')
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
