import { measuresControls } from '../coordinator/ends-run.ts'
import { countSteps } from '../../shared/training/count-steps.ts'
import { MOST_COMPARED } from '../fusion/diversity.ts'
import { STRATEGIES } from '../fusion/strategies.ts'
import type { Calibration } from './calibrate.ts'
import type { RunFacts } from './run-facts.ts'

/** Seconds, at least and at most. */
export interface Span {
  readonly least: number
  readonly most: number
}

/** Of one round, without waiting for the network or for clients that are late. */
export interface TimeForecast {
  /** Of one client, on a machine like this one. */
  readonly client: Span
  /** Null where fusing was not over when the patience was. */
  readonly fuse: Span | null
  readonly tune: Span
  readonly evaluate: Span
  /** Of the whole run; what is not known of fusing is left out. */
  readonly run: Span
}

/** As client/node/round.ts has it: examples that each scorer looks at. */
const SCORED_EXAMPLES: Readonly<Record<string, number>> = { ablation: 100, uniform: 1 }
const MOST_SCORED = 400
/** Epochs after which tuning by labels ends at the earliest: the first that is no better, and its patience. */
const LEAST_EPOCHS = 4

/**
 * What was measured, times how often a round does it. Tuning by labels ends when it helps no more, and an ensemble may not be
 * asked: between the least and the most is whatever the data decide.
 *
 * @param atOnce clients that train beside each other on one machine; null: each has a machine of its own
 */
export function predictTime(
  facts: RunFacts,
  measured: Calibration,
  atOnce: number | null,
): TimeForecast {
  const { settings, numExamples, numProxy, numHeldOut, numTest } = facts
  const { clients, rounds, training, tune } = settings
  const trained = numExamples + (settings.rehearse ? numProxy : 0)
  const scored = Math.min(numExamples, SCORED_EXAMPLES[settings.scorer] ?? MOST_SCORED)
  const alone = countSteps(trained, training) * measured.step + scored * measured.scored
  // Beside each other they share the cores, which one may have had for itself.
  const client =
    atOnce === null
      ? { least: alone, most: alone }
      : { least: (alone * clients) / Math.min(atOnce, clients), most: alone * clients }

  const epoch = countSteps(numProxy, { epochs: 1, batchSize: tune.batchSize }) * measured.tuneStep
  const judging = measured.example * numHeldOut
  const tuned = tuningOf(tune, { epoch: epoch + judging })
  const lessons = lessonsOf(tune, clients * numProxy * measured.example)
  const isMeasured = measuresControls(settings, { isLast: settings.rounds === 1 })
  const fuse = fusingOf(facts, measured, isMeasured)
  const test = measured.example * numTest
  // Average and best parent are tuned, too, and a network by labels alone; parents are judged, and then together.
  const controls = isMeasured ? 2 : 0
  const byLabels = isMeasured
    ? tuningOf({ ...tune, mode: 'labels' }, { epoch: epoch + judging })
    : NOTHING
  const parentsJudged = isMeasured
    ? (clients + 4) * test + clients * numHeldOut * measured.example
    : 0
  const evaluate = {
    least: 2 * test + parentsJudged + controls * tuned.least,
    most: 3 * test + parentsJudged + controls * tuned.most + byLabels.most,
  }
  const withLessons = { least: tuned.least, most: tuned.most + lessons }
  const round = [client, fuse ?? NOTHING, withLessons, evaluate].reduce(plus)
  return {
    ...{ client, fuse, evaluate },
    tune: withLessons,
    run: { least: rounds * round.least, most: rounds * round.most },
  }
}

/** @param isCompared whether the round tells how diverse the parents are */
function fusingOf(
  { settings: { clients }, strategy }: RunFacts,
  { fusion, comparison, parents }: Calibration,
  isCompared: boolean,
): Span | null {
  if (fusion === null || (isCompared && comparison === null)) return null
  const more = clients / parents
  const pairsOf = (count: number) => (count * (count - 1)) / 2
  const pairs = pairsOf(Math.min(clients, MOST_COMPARED)) / Math.max(1, pairsOf(parents))
  const comparing = isCompared ? comparison! * pairs : 0
  // Sums grow with the parents; clusters and assignments may grow faster.
  const isSum = STRATEGIES[strategy as keyof typeof STRATEGIES].holds === 'blocks'
  const most = fusion * (isSum ? more : Math.max(more, more ** 2))
  return { least: fusion * more + comparing, most: most + comparing }
}

const NOTHING: Span = { least: 0, most: 0 }

const plus = (a: Span, b: Span): Span => ({ least: a.least + b.least, most: a.most + b.most })

function tuningOf(
  { mode, epochs }: Pick<RunFacts['settings']['tune'], 'mode' | 'epochs'>,
  of: { readonly epoch: number },
): Span {
  const least = Math.min(LEAST_EPOCHS, epochs) * of.epoch
  const all = epochs * of.epoch
  switch (mode) {
    case 'none':
      return NOTHING
    case 'labels':
      return { least, most: all }
    case 'distill':
      return { least: all, most: all }
    case 'both':
      // By labels, by the ensemble, and by labels again.
      return { least, most: 3 * all }
  }
}

/** Answers of all parents to each rendition of the proxy set; one more of it as it is. */
function lessonsOf({ mode, epochs }: RunFacts['settings']['tune'], answers: number): number {
  return mode === 'both' || mode === 'distill' ? (epochs + 1) * answers : 0
}
