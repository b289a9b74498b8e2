import type { OwnSource } from '../../shared/command/data-options.ts'
import { findDataset } from '../../shared/data/datasets.ts'
import {
  loadOwnData,
  type Normalize,
  type OwnDataset,
  type RunDataFacts,
} from '../../shared/data/own/own-data.ts'
import type { Shard } from '../../shared/data/shard.ts'
import { GraftError } from '../../shared/errors.ts'
import type { RunSettings } from '../../shared/protocol/run-settings.ts'
import type { ClientData } from './round.ts'
import { shardData, type ShardSources } from './shard-data.ts'

export interface OwnClientOptions {
  /** Part of the data that this client has; all of them when not given. */
  readonly shard?: Shard | undefined
  /** @default 'shared' */
  readonly normalize?: Normalize
  /** Told what was read. */
  readonly onLoaded?: (dataset: OwnDataset) => void
  readonly signal?: AbortSignal
}

/** Where data of the user's own come from. */
export interface OwnSources extends Pick<ShardSources, 'split'> {
  /** @default loadOwnData */
  readonly load?: typeof loadOwnData
}

/**
 * A client's own data, in the shape, classes and scale of the run. It trains on all of its training part
 * and judges models by its test part. Where its data are the coordinator's, to the byte, it keeps clear of
 * the proxy set and the test set as a client of a shared data set does.
 *
 * @param settings of the run, with this client's own word on partition and examples
 * @param sources how the data are read and split; a process with many clients does each once
 * @throws GraftError GRAFT_DATA_MISMATCH when the data do not fit the run; what reading and splitting throw
 */
export async function ownClientData(
  { path, reading }: OwnSource,
  settings: RunSettings,
  { shard, normalize = 'shared', onLoaded, signal }: OwnClientOptions = {},
  { load = loadOwnData, split }: OwnSources = {},
): Promise<ClientData> {
  const dataset = await load(path, {
    ...reading,
    seed: settings.seed,
    run: factsOf(settings),
    normalize,
    ...(signal && { signal }),
  })
  onLoaded?.(dataset)
  const isCoordinators = dataset.runData.sha256 === settings.data?.sha256
  const part = await shardData(
    shard ?? { index: 0, count: 1 },
    {
      ...settings,
      partition: shard === undefined ? 'iid' : settings.partition,
      proxy: isCoordinators ? settings.proxy : 0,
    },
    { load: async () => dataset, ...(split && { split }) },
  )
  return isCoordinators ? part : { ...part, judge: dataset.test }
}

/**
 * Refuses a data set by name for a run on the coordinator's own data.
 * @throws GraftError GRAFT_DATA_MISMATCH saying what to bring
 */
export function assertIsNamed({ dataset, data }: RunSettings): void {
  if (data === undefined) return
  const { inputShape, numClasses, classNames } = data
  const classes = classNames === undefined ? '' : ` (${classNames.slice(0, 10).join(', ')})`
  throw new GraftError(
    'GRAFT_DATA_MISMATCH',
    `The run is on the coordinator's own data, ${dataset}: inputs [${inputShape.join(', ')}], ${numClasses} classes${classes}. Give such data with --data PATH.`,
  )
}

function factsOf({ data, dataset }: RunSettings): RunDataFacts {
  return data ?? findDataset(dataset)
}
