import { setMaxListeners } from 'node:events'
import type { OwnSource } from '../../shared/command/data-options.ts'
import { shardName } from '../../shared/data/shard.ts'
import type { ClientId } from '../../shared/ids.ts'
import type { FaultPlan } from '../../shared/protocol/fault-plan.ts'
import type { WorkerMessage } from '../../shared/protocol/process-messages.ts'
import type { RunSettings } from '../../shared/protocol/run-settings.ts'
import { corruptTraining } from '../node/corrupt-training.ts'
import { runNode } from '../node/node.ts'
import { ownClientData } from '../node/own-client-data.ts'
import type { LocalTask, Participant } from '../node/round.ts'
import { shardData } from '../node/shard-data.ts'
import { createSharedMeans } from './shared-means.ts'
import { reuseUpdates } from './update-cache.ts'
import { runVirtualClient } from './virtual-client.ts'

/**
 * A busy machine may keep a socket waiting for minutes. A coordinator that has ended is no reason to wait
 * either: the simulation then stops its workers.
 */
const RETRY_SECONDS = 3600

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
  /** What goes wrong; null in a healthy federation. */
  readonly plan: FaultPlan | null
  /** Seed of a plan that has none. */
  readonly seed: number
  /** Folder of updates that other runs may have made already; null: all are made here. */
  readonly updateFolder: string | null
  /** Told of faults and of updates that were there already. */
  readonly tell: (message: WorkerMessage) => void
  readonly signal: AbortSignal
}

/** Runs one client a shard until the run is finished; they share the engine and the data set's bytes. */
export async function runShards(options: WorkerOptions): Promise<void> {
  const { server, token, engineName, signal, clients, ownSource, shards, plan, seed, tell } =
    options
  const { updateFolder } = options
  const { load, loadOwn, split, keepBlob, takeTurns } = createSharedMeans()
  // All clients listen to it, which is no leak.
  setMaxListeners(shards.length + 10, signal)
  await Promise.all(
    shards.map((index) => {
      const shard = { index, count: clients }
      const client = {
        servers: [server],
        token,
        name: shardName(shard),
        engineName,
        retrySeconds: RETRY_SECONDS,
        async dataFor(settings: RunSettings, id: ClientId) {
          const data =
            ownSource === null
              ? await shardData(shard, settings, { load, split })
              : await ownClientData(
                  ownSource,
                  settings,
                  { shard, signal },
                  { load: loadOwn, split },
                )
          return corruptTraining(data, settings, { id, shard })
        },
        equip: (participant: Participant) =>
          updateFolder === null
            ? takeTurns(participant)
            : reuseUpdates(
                { folder: updateFolder, engine: engineName, onReused: tellReused(tell) },
                takeTurns(participant),
              ),
        keepBlob,
        signal,
      }
      if (plan === null) return runNode(client)
      return runVirtualClient(client, {
        plan,
        seed,
        tell: (event) => {
          tell({ type: 'fault', ...event })
        },
      })
    }),
  )
}

function tellReused(tell: WorkerOptions['tell']): (task: LocalTask) => void {
  return ({ joined, invitation }) => {
    tell({ type: 'reused', client: joined.clientId, round: invitation.round })
  }
}
