import type {
  ForecastReport,
  PairResult,
  Reliability,
} from '../../../shared/protocol/forecast-report.ts'
import {
  featuresOf,
  FORECAST_MODEL,
  type ForecastModel,
  forecastTransplantation,
} from '../../fusion/forecast.ts'

/** The transplant, tuned, is more accurate than the best parent, tuned alike. */
export const isWorthIt = ({ tuned, bestParentTuned }: PairResult): boolean =>
  tuned > bestParentTuned

export const isCopy = ({ kind }: PairResult): boolean => kind === 'copy'

export function reportForecast(results: readonly PairResult[]): ForecastReport['report'] {
  const pairs = results.filter((pair) => !isCopy(pair))
  const copies = results.filter(isCopy)
  return {
    shipped: reliabilityOf(pairs, () => FORECAST_MODEL),
    otherDataset: crossed(pairs, ({ dataset }) => dataset),
    otherSeed: crossed(pairs, ({ seed }) => String(seed)),
    fitted: fitForecast(pairs),
    copies: {
      pairs: copies.length,
      failed: copies.filter((pair) => !isWorthIt(pair)).length,
      foreseen: copies.filter((pair) => probabilityOf(pair, FORECAST_MODEL) < 0.5).length,
    },
  }
}

/** Each pair judged by a forecast of the pairs that differ in `key`; null when all are alike in it. */
function crossed(
  pairs: readonly PairResult[],
  key: (pair: PairResult) => string,
): Reliability | null {
  const keys = [...new Set(pairs.map(key))]
  if (keys.length < 2) return null
  const models = new Map(
    keys.map((own) => [own, fitForecast(pairs.filter((pair) => key(pair) !== own))]),
  )
  return reliabilityOf(pairs, (pair) => models.get(key(pair))!)
}

function reliabilityOf(
  pairs: readonly PairResult[],
  modelOf: (pair: PairResult) => ForecastModel,
): Reliability {
  const judged = pairs.map((pair) => ({
    probability: probabilityOf(pair, modelOf(pair)),
    outcome: isWorthIt(pair) ? 1 : 0,
  }))
  const mean = (of: (one: (typeof judged)[number]) => number) =>
    judged.reduce((sum, one) => sum + of(one), 0) / judged.length
  const baseRate = mean(({ outcome }) => outcome)
  return {
    pairs: pairs.length,
    baseRate,
    accuracy: mean(({ probability, outcome }) => (probability >= 0.5 === (outcome === 1) ? 1 : 0)),
    majority: Math.max(baseRate, 1 - baseRate),
    auc: areaUnderCurve(judged),
    brier: mean(({ probability, outcome }) => (probability - outcome) ** 2),
  }
}

function probabilityOf(
  { weightDistance, disagreement, cka }: PairResult,
  model: ForecastModel,
): number {
  const pair = { parents: ['a', 'b'] as const, weightDistance, disagreement, cka }
  return forecastTransplantation({ pairs: [pair] }, model)!.probability
}

function areaUnderCurve(
  judged: readonly { probability: number; outcome: number }[],
): number | null {
  const worth = judged.filter(({ outcome }) => outcome === 1)
  const not = judged.filter(({ outcome }) => outcome === 0)
  if (worth.length === 0 || not.length === 0) return null
  const wins = worth.flatMap((a) =>
    not.map((b) => {
      if (a.probability === b.probability) return 0.5
      return a.probability > b.probability ? 1 : 0
    }),
  )
  return wins.reduce<number>((sum, win) => sum + win, 0) / wins.length
}

const STEPS = 5000
const RATE = 0.5
/** Keeps weights finite where outcomes can be told apart without a mistake. */
const RIDGE = 0.01

/**
 * Logistic regression of the outcome on {@link featuresOf}, by gradient descent on standardised features.
 *
 * @throws RangeError without pairs
 */
export function fitForecast(pairs: readonly PairResult[]): ForecastModel {
  if (pairs.length === 0) throw new RangeError('A forecast is fitted on at least one pair.')
  const features = pairs.map(featuresOf)
  const outcomes = pairs.map((pair) => (isWorthIt(pair) ? 1 : 0))
  const columns = features[0]!.map((_, i) => features.map((row) => row[i]!))
  const means = columns.map(average)
  const deviations = columns.map(
    (column, i) => Math.sqrt(average(column.map((x) => (x - means[i]!) ** 2))) || 1,
  )
  const rows = features.map((row) => row.map((x, i) => (x - means[i]!) / deviations[i]!))
  let intercept = 0
  let weights = means.map(() => 0)
  for (let step = 0; step < STEPS; step++) {
    const errors = rows.map((row, at) => {
      const logit = row.reduce((sum, x, i) => sum + x * weights[i]!, intercept)
      return 1 / (1 + Math.exp(-logit)) - outcomes[at]!
    })
    intercept -= RATE * average(errors)
    weights = weights.map(
      (weight, i) =>
        weight -
        RATE * (average(errors.map((error, at) => error * rows[at]![i]!)) + RIDGE * weight),
    )
  }
  const scaled = weights.map((weight, i) => weight / deviations[i]!)
  return {
    intercept: intercept - scaled.reduce((sum, weight, i) => sum + weight * means[i]!, 0),
    weights: scaled,
  }
}

const average = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length
