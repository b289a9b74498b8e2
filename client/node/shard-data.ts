import { loadDataset } from '../../shared/data/datasets.ts'
import type { Dataset } from '../../shared/data/example-set.ts'
import type { Shard } from '../../shared/data/shard.ts'
import { splitDataset } from '../../shared/data/split.ts'
import { subset } from '../../shared/data/subset.ts'
import { GraftError } from '../../shared/errors.ts'
import type { RunSettings } from '../../shared/protocol/run-settings.ts'
import type { ClientData } from './round.ts'

/** What the run's settings say of a shared data set, unless this client's options say otherwise. */
export type ShardSettings = Pick<
  RunSettings,
  'dataset' | 'partition' | 'proxy' | 'examplesPerClient' | 'seed'
>

/** Where the data of shards come from. */
export interface ShardSources {
  /** @default loadDataset */
  readonly load?: (name: string) => Promise<Dataset>
  /** @default splitDataset */
  readonly split?: typeof splitDataset
}

/**
 * The examples of one shard. Every machine splits the data set by the same settings, so that no example
 * is in two shards or in the coordinator's proxy set. Published models are judged by the shard too: the
 * official test split is the coordinator's alone.
 *
 * @param sources how a data set is read and split; a process with many shards does each once
 * @throws GraftError GRAFT_OPTION_INVALID for a shard that is not there; what loading and splitting throw
 */
export async function shardData(
  shard: Shard,
  settings: ShardSettings,
  { load = loadDataset, split = splitDataset }: ShardSources = {},
): Promise<ClientData> {
  const { train } = await load(settings.dataset)
  const { proxy, partition, examplesPerClient, seed } = settings
  const { clients } = split(train, {
    proxy,
    clients: shard.count,
    partition,
    examplesPerClient,
    seed,
  })
  const indices = clients[shard.index]
  if (indices === undefined) {
    const problem = `There is no shard ${shard.index} of ${shard.count}.`
    throw new GraftError('GRAFT_OPTION_INVALID', problem)
  }
  const own = subset(train, indices)
  return { train: own, judge: own }
}
