import {
  type CorruptionSettings,
  corrupt,
  corruptionOf,
  describeCorruption,
} from '../../shared/data/corruption/client-corruption.ts'
import type { Shard } from '../../shared/data/shard.ts'
import type { ClientId } from '../../shared/ids.ts'
import type { ClientData } from './round.ts'

export interface CorruptedClient {
  readonly id: ClientId
  /** Which client of the run it is; a client with all of its own data is none that a run's options choose. */
  readonly shard: Shard | undefined
  /** What this client's own options say in place of the run's, for itself alone. */
  readonly own?: Omit<CorruptionSettings, 'seed'>
  /** Told in words what is wrong with its examples, when anything is. */
  readonly onCorrupted?: (what: string) => void
}

/**
 * The client's data with label noise and feature skew in what it trains on, as the run or its own options ask.
 * It judges models by what it has judged them by before.
 *
 * @throws GraftError GRAFT_OPTION_INVALID when the options do not fit the run or the data
 */
export function corruptTraining(
  data: ClientData,
  run: CorruptionSettings,
  { id, shard, own = {}, onCorrupted }: CorruptedClient,
): ClientData {
  const { seed } = run
  const ofRun: Partial<CorruptionSettings> = shard === undefined ? {} : run
  const settings = {
    labelNoise: own.labelNoise ?? ofRun.labelNoise,
    featureSkew: own.featureSkew ?? ofRun.featureSkew,
    seed,
  }
  const corruption = corruptionOf(settings, shard ?? { index: 0, count: 1 }, id)
  const what = describeCorruption(corruption)
  if (what === '') return data
  onCorrupted?.(what)
  return { ...data, train: corrupt(data.train, corruption, { seed, id }) }
}
