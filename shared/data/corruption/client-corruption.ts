import { createRng } from '../../numeric/rng.ts'
import type { ExampleSet } from '../example-set.ts'
import type { Shard } from '../shard.ts'
import {
  type ClientSkew,
  FEATURE_SKEWS,
  imageShapeOf,
  parseFeatureSkew,
  skewFeatures,
} from './feature-skew.ts'
import { addLabelNoise, parseLabelNoise } from './label-noise.ts'

/** What is wrong with the examples of a run's clients, as its options say it. */
export interface CorruptionSettings {
  /** e.g. `0.3@0,2`. */
  readonly labelNoise?: string | undefined
  /** e.g. `rotation:30@first:2+blur:1`. */
  readonly featureSkew?: string | undefined
  readonly seed: number
}

/** What is wrong with the training examples of one client. */
export interface ClientCorruption {
  /** Probability that a label is wrong. */
  readonly labelNoise: number
  /** In the order in which they are applied. */
  readonly featureSkew: readonly ClientSkew[]
}

/**
 * What the options mean for one client: whether it is one of those chosen, and its own values, which depend on
 * the run's seed and the client's id alone.
 *
 * @param shard which of the run's clients it is
 * @throws GraftError GRAFT_OPTION_INVALID when the options are not allowed for so many clients
 */
export function corruptionOf(
  { labelNoise, featureSkew, seed }: CorruptionSettings,
  { index, count }: Shard,
  id: string,
): ClientCorruption {
  const rng = createRng(String(seed)).split('corruption')
  const own = rng.split(`client/${id}`)
  const noise = labelNoise === undefined ? null : parseLabelNoise(labelNoise)
  const isNoisy = noise?.clients.choose(count, rng.split('label-noise')).has(index) === true
  const skews = featureSkew === undefined ? [] : parseFeatureSkew(featureSkew)
  return {
    labelNoise: isNoisy ? noise.probability : 0,
    featureSkew: skews.flatMap(({ kind, amount, clients }, i) => {
      if (!clients.choose(count, rng.split(`feature-skew/${i}`)).has(index)) return []
      return { kind, value: FEATURE_SKEWS[kind].draw(amount, own.split(`feature-skew/${i}`)) }
    }),
  }
}

/**
 * The training examples of a client with what is wrong with them. Nothing else of a run is ever touched:
 * neither the proxy set, nor what models are judged by.
 *
 * @param set borrowed for as long as the result is used
 * @throws GraftError GRAFT_OPTION_INVALID for a feature skew of data that are no images
 */
export function corrupt(
  set: ExampleSet,
  { labelNoise, featureSkew }: ClientCorruption,
  { seed, id }: { readonly seed: number; readonly id: string },
): ExampleSet {
  const rng = createRng(String(seed)).split(`corruption/client/${id}`)
  const skewed = featureSkew.length === 0 ? set : skewFeatures(set, featureSkew)
  return labelNoise === 0 ? skewed : addLabelNoise(skewed, labelNoise, rng.split('label-noise'))
}

/**
 * Checks a run's options before anybody joins.
 * @throws GraftError GRAFT_OPTION_INVALID
 */
export function assertCanCorrupt(
  settings: CorruptionSettings & { readonly clients: number },
  train: ExampleSet,
): void {
  corruptionOf(settings, { index: 0, count: settings.clients }, '')
  if (settings.featureSkew !== undefined) imageShapeOf(train)
}

/** As in `20 % of labels wrong, rotation 12.5°`; empty where nothing is. */
export function describeCorruption({ labelNoise, featureSkew }: ClientCorruption): string {
  const labels =
    labelNoise === 0 ? [] : [`${Number((100 * labelNoise).toPrecision(3))} % of labels wrong`]
  const features = featureSkew.map(
    ({ kind, value }) => `${kind} ${Number(value.toPrecision(3))}${FEATURE_SKEWS[kind].unit}`,
  )
  return [...labels, ...features].join(', ')
}
