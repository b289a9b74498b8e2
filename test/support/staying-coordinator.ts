import { join } from 'node:path'
import { runNode } from '../../client/node/node.ts'
import type { NodeEvent } from '../../client/node/progress.ts'
import { shardData } from '../../client/node/shard-data.ts'
import { createClientDesk } from '../../server/coordinator/client-desk.ts'
import { createOperations } from '../../server/coordinator/create-operations.ts'
import { createHelm } from '../../server/coordinator/helm.ts'
import { createBoard } from '../../server/coordinator/live/board.ts'
import { newestEvent } from '../../server/coordinator/live/live-events.ts'
import { startGateway } from '../../server/gateway/start-gateway.ts'
import { createPlanner } from '../../server/open-plan.ts'
import { createRunQueue, type RunSources, serveRuns } from '../../server/serve-runs.ts'
import { openBlobs } from '../../server/store/blobs.ts'
import { openQuarantineFolder } from '../../server/store/quarantine-folder.ts'
import { openStore } from '../../server/store/open-store.ts'
import { GraftError } from '../../shared/errors.ts'
import { ClientId, type RunId } from '../../shared/ids.ts'
import { fakeStream } from './fake-stream.ts'
import { JOIN_TOKEN } from './test-federation.ts'
import { TOY_DATASET } from './toy-run.ts'

/**
 * A coordinator in this process that stays for runs on the toy data set, with nodes that stay for them, too.
 *
 * @param judge whether this machine has room for a run
 */
export async function startStayingCoordinator(
  home: string,
  judge: RunSources['judge'] = async () => null,
) {
  const stop = new AbortController()
  const { signal } = stop
  const store = await openStore({ databaseUrl: undefined, folder: home })
  if ((await store.findToken(JOIN_TOKEN)) === null) {
    const token = { secret: JOIN_TOKEN, kind: 'join', clientId: null } as const
    await store.createToken({ ...token, label: 'test', expiresAt: null })
  }
  const blobs = await openBlobs(join(home, 'blobs'))
  const desk = createClientDesk(store)
  desk.expectRun()
  const lastEvent = await newestEvent(store)
  const board = createBoard({ engine: 'test', staysForRuns: true, lastEvent })
  const clients = await startGateway(desk.handlers, {
    ...{ host: '127.0.0.1', port: 0, uploadFolder: join(home, 'uploads') },
    onConnections: board.connectionsChanged,
  })
  board.watchConnections(() => clients.connected())
  const planner = createPlanner({
    ...{ ownData: null, initial: null, layout: undefined, blobs, signal },
    async load(name) {
      if (name === TOY_DATASET.name) return TOY_DATASET
      throw new GraftError('GRAFT_DATASET_UNKNOWN', `There is no ${name}.`)
    },
  })
  const runs = { planner, judge }
  const queue = createRunQueue(runs, { blobs })
  const helm = createHelm()
  const quarantineFiles = openQuarantineFolder(join(home, 'quarantine'))
  const shared = { store, blobs, board, helm, quarantineFiles }
  const operations = createOperations({ ...shared, queue, gateway: clients })
  const engine = { name: 'wasm', version: '0', reason: '' } as const
  const rooms = {
    ...shared,
    keepUpdates: Infinity,
    engine,
    desk,
    clients,
    signal,
    screen: fakeStream(),
  }
  const ended = serveRuns(rooms, queue, { ...runs, home }).catch((error: unknown) => error)

  return {
    operations,
    store,
    blobs,
    ended,
    /** Resolves when the run has this status. */
    async has(run: RunId, status: string): Promise<void> {
      for (;;) {
        const changed = new Promise<undefined>((resolve) => {
          const deaf = operations.listen({
            federationChanged: () => undefined,
            laneChanged: () => undefined,
            eventAppended: () => undefined,
            resourceChanged() {
              deaf()
              resolve(undefined)
            },
          })
        })
        if ((await store.listRuns()).some((each) => each.id === run && each.status === status))
          return
        const first = await Promise.race([changed, ended])
        if (first instanceof Error) throw first
      }
    },
    /** A client that stays, as `graft client --shard I/2 --stay` runs it. */
    node(
      index: number,
      onEvent: (event: NodeEvent) => void = () => undefined,
      leave: AbortSignal = signal,
    ) {
      const count = 2
      return runNode({
        servers: [clients.url],
        token: JOIN_TOKEN,
        name: ClientId.parse(`client-${index}`),
        engineName: 'test',
        stays: true,
        dataFor: (of) => shardData({ index, count }, of, { load: async () => TOY_DATASET }),
        onProgress: onEvent,
        signal: AbortSignal.any([signal, leave]),
      }).catch((error: unknown) => error)
    },
    stop: (reason: Error) => stop.abort(reason),
    async [Symbol.asyncDispose]() {
      stop.abort(new Error('the test is over'))
      await ended
      desk.end()
      await clients.close()
      await store.close()
    },
  }
}
