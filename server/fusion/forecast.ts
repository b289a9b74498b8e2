import { type Diversity, meanOf, type PairDiversity } from './diversity.ts'

/** Whether parents are diverse enough for Neuron Transplantation. */
export interface Forecast {
  /**
   * That their transplant, fine-tuned on the proxy set, is more accurate than the best of them, fine-tuned
   * alike.
   */
  readonly probability: number
  /** The probability is at least a half. */
  readonly isDiverseEnough: boolean
}

/** Parents this close are one network and its copy: half of the neurons kept would be there twice. */
const COPY = { weightDistance: 0.01, disagreement: 0.005 }

/** Intercept, and weights of {@link featuresOf}. */
export interface ForecastModel {
  readonly intercept: number
  readonly weights: readonly number[]
}

/** Fitted by `graft experiment forecast`; how reliable it is stands in ARCHITECTURE.md. */
export const FORECAST_MODEL: ForecastModel = { intercept: 1.667, weights: [1.242, 1.404] }

/**
 * Foresees what a transplant of parents is worth, by how diverse they are: NT (arXiv 2502.06849) leaves open
 * how to tell before fusion. Of more than two parents it takes the mean over the pairs.
 *
 * @returns null where nothing but weights is known
 */
export function forecastTransplantation(
  diversity: Pick<Diversity, 'pairs'>,
  model: ForecastModel = FORECAST_MODEL,
): Forecast | null {
  const weightDistance = meanOf(diversity, (pair) => pair.weightDistance)
  const disagreement = meanOf(diversity, (pair) => pair.disagreement)
  if (disagreement === null) return null
  const isCopy =
    disagreement <= COPY.disagreement &&
    weightDistance !== null &&
    weightDistance <= COPY.weightDistance
  if (isCopy) return { probability: 0, isDiverseEnough: false }
  const features = featuresOf({ weightDistance, disagreement })
  const logit = features.reduce((sum, x, i) => sum + x * model.weights[i]!, model.intercept)
  const probability = 1 / (1 + Math.exp(-logit))
  return { probability, isDiverseEnough: probability >= 0.5 }
}

/** What the forecast looks at. Networks of different widths are taken for ones that began apart. */
export function featuresOf({
  weightDistance,
  disagreement,
}: Pick<PairDiversity, 'weightDistance' | 'disagreement'>): [number, number] {
  return [weightDistance ?? 1, Math.log(0.01 + (disagreement ?? 0))]
}
