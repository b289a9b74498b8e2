import { loadDataset } from '../../shared/data/datasets.ts'
import type { OwnSource } from '../../shared/command/data-options.ts'
import type { Dataset } from '../../shared/data/example-set.ts'
import { loadOwnData, type OwnDataset } from '../../shared/data/own/own-data.ts'
import { shardName } from '../../shared/data/shard.ts'
import { corruptTraining } from '../node/corrupt-training.ts'
import { runNode } from '../node/node.ts'
import { ownClientData } from '../node/own-client-data.ts'
import { shardData } from '../node/shard-data.ts'

export interface WorkerOptions {
  readonly server: string
  readonly token: string
  /** Parts of the partition, one client each. */
  readonly shards: readonly number[]
  /** Parts there are. */
  readonly clients: number
  readonly engineName: string
  /** Data of the user's own that the run is on; null for a data set by name. */
  readonly ownSource: OwnSource | null
  readonly signal: AbortSignal
}

/** Runs one client a shard until the run is finished; they share the engine and the data set's bytes. */
export async function runShards(options: WorkerOptions): Promise<void> {
  const { server, token, engineName, signal, clients, ownSource } = options
  const load = loadOnce()
  // All clients of a run read the same files in the same way.
  let own: Promise<OwnDataset> | undefined
  const loadOwn: typeof loadOwnData = (...given) => (own ??= loadOwnData(...given))
  await Promise.all(
    options.shards.map((index) => {
      const shard = { index, count: clients }
      return runNode({
        server,
        token,
        name: shardName(shard),
        engineName,
        async dataFor(settings, id) {
          const data =
            ownSource === null
              ? await shardData(shard, settings, load)
              : await ownClientData(ownSource, settings, { shard, signal }, loadOwn)
          return corruptTraining(data, settings, { id, shard })
        },
        signal,
      })
    }),
  )
}

function loadOnce(): (name: string) => Promise<Dataset> {
  const loaded = new Map<string, Promise<Dataset>>()
  return (name) => {
    const dataset = loaded.get(name) ?? loadDataset(name)
    loaded.set(name, dataset)
    return dataset
  }
}
