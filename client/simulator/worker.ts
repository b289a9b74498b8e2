import { loadDataset } from '../../shared/data/datasets.ts'
import type { Dataset } from '../../shared/data/example-set.ts'
import { runNode } from '../node/node.ts'
import { shardData, shardName } from '../node/shard-data.ts'

export interface WorkerOptions {
  readonly server: string
  readonly token: string
  /** Parts of the partition, one client each. */
  readonly shards: readonly number[]
  /** Parts there are. */
  readonly clients: number
  readonly engineName: string
  readonly signal: AbortSignal
}

/** Runs one client a shard until the run is finished; they share the engine and the data set's bytes. */
export async function runShards(options: WorkerOptions): Promise<void> {
  const { server, token, engineName, signal, clients } = options
  const load = loadOnce()
  await Promise.all(
    options.shards.map((index) => {
      const shard = { index, count: clients }
      return runNode({
        server,
        token,
        name: shardName(shard),
        engineName,
        dataFor: (settings) => shardData(shard, settings, load),
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
