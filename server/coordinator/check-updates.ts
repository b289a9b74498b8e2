import type * as tf from '@tensorflow/tfjs'
import { attribute } from '../../shared/attribution/attribute.ts'
import { sample } from '../../shared/data/sample.ts'
import type { ExampleSet } from '../../shared/data/example-set.ts'
import { ClientId } from '../../shared/ids.ts'
import type { WeightReader } from '../../shared/model/weight-reader.ts'
import { writeWeights } from '../../shared/model/weights.ts'
import { medianOf } from '../../shared/numeric/median.ts'
import { rankCorrelation } from '../../shared/numeric/rank-correlation.ts'
import type { Rng } from '../../shared/numeric/rng.ts'
import type { RunSettings } from '../../shared/protocol/run-settings.ts'
import type { UpdateChecks } from '../../shared/protocol/update-checks.ts'
import { OUTLIER_THRESHOLD, outlierScores } from '../fusion/find-outliers.ts'
import { measureUpdates } from '../fusion/measure-updates.ts'
import type { Parent } from '../fusion/strategy.ts'

/** Clients whose scores are computed again; ablation takes a pass a neuron. */
const CHECKED_CLIENTS = { conductance: 3, deeplift: 3, ablation: 1, uniform: 0 } as const

/** Proxy examples that they are computed on: as the means of hundreds of examples, those of these settle soon. */
const CHECKED_EXAMPLES = 100

export interface CheckInput {
  /** By id, with the scores that they sent. */
  readonly parents: readonly Parent[]
  /** What they were trained from. */
  readonly start: WeightReader
  /** Of the run's network; overwritten. */
  readonly model: tf.LayersModel
  readonly proxy: ExampleSet
  readonly settings: Pick<RunSettings, 'scorer' | 'outliers'>
  readonly rng: Rng
  readonly signal?: AbortSignal
}

/**
 * Compares the updates of a round: their sizes by a robust test over the cohort, and the scores that some of the clients
 * sent with those of their networks on the proxy set. Deterministic, so that a round that is taken up again finds the same.
 */
export async function checkUpdates(input: CheckInput): Promise<UpdateChecks> {
  return {
    threshold: OUTLIER_THRESHOLD,
    ...(await compareSizes(input)),
    attribution: await compareScores(input),
  }
}

async function compareSizes({
  parents,
  start,
  settings,
}: CheckInput): Promise<Pick<UpdateChecks, 'median' | 'outliers'>> {
  const { norms, distances } = await measureUpdates(parents, start)
  const [ofNorms, ofDistances] = [outlierScores(norms), outlierScores(distances)]
  if (ofNorms === null || ofDistances === null) return { median: null, outliers: [] }
  const compared = parents.map(({ id }, k) => ({
    client: ClientId.parse(id),
    norm: norms[k]!,
    distance: distances[k]!,
    score: Math.max(ofNorms[k]!, ofDistances[k]!),
    isSetAside: settings.outliers === 'quarantine',
  }))
  return {
    median: { norm: medianOf(norms), distance: medianOf(distances) },
    outliers: compared.filter(({ score }) => score > OUTLIER_THRESHOLD),
  }
}

async function compareScores({
  parents,
  model,
  proxy,
  settings: { scorer },
  rng,
  signal,
}: CheckInput): Promise<UpdateChecks['attribution']> {
  const withScores = parents.filter(({ scores }) => scores.length > 0)
  const chosen = rng
    .split('clients')
    .shuffle([...withScores.keys()])
    .slice(0, CHECKED_CLIENTS[scorer])
    .sort((a, b) => a - b)
  if (chosen.length === 0) return []
  const examples = sample(proxy, CHECKED_EXAMPLES, rng.split('examples'))
  const checked: UpdateChecks['attribution'] = []
  for (const index of chosen) {
    const parent = withScores[index]!
    writeWeights(model, await parent.load())
    const own = await attribute(scorer, model, examples, signal ? { signal } : {})
    const correlations = own.map((ofGroup, group) =>
      rankCorrelation(ofGroup, parent.scores[group]!),
    )
    checked.push({ client: ClientId.parse(parent.id), correlations })
  }
  return checked
}
