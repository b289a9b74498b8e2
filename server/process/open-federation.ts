import { join } from 'node:path'
import { type ErrorCode, toGraftError } from '../../shared/errors.ts'
import type { Log } from '../../shared/log/log.ts'
import { findConsoleFolder } from '../api/find-console.ts'
import { type Api, startApi } from '../api/start-api.ts'
import type { RunRooms } from '../conduct-run.ts'
import { createClientDesk } from '../coordinator/client-desk.ts'
import { createOperations } from '../coordinator/create-operations.ts'
import { createHelm } from '../coordinator/helm.ts'
import { createBoard } from '../coordinator/live/board.ts'
import { countNow } from '../coordinator/live/count-now.ts'
import { newestEvent } from '../coordinator/live/live-events.ts'
import { attachGateway } from '../gateway/attach-gateway.ts'
import type { SocketServer } from '../gateway/socket-server.ts'
import { createPlanner } from '../open-plan.ts'
import type { RunDisplay } from '../report/run-display.ts'
import { createRunQueue, type RunSources, type StoredQueue } from '../serve-runs.ts'
import type { Leadership, Store } from '../store/store.ts'
import type { CoordinatorOptions } from './coordinator-options.ts'
import { isSimulated } from './is-simulated.ts'
import { judgeRun } from './judge-run.ts'
import type { Storage } from './open-storage.ts'

/** What makes all that a client sends fail. */
const ENDING: readonly ErrorCode[] = [
  'GRAFT_DISK_FULL',
  'GRAFT_BUCKET_UNAVAILABLE',
  'GRAFT_BUCKET_REFUSED',
]

/** Everything that clients and operators talk to. */
export interface Federation {
  readonly rooms: Omit<RunRooms, 'engine' | 'screen' | 'signal' | 'keepUpdates'>
  readonly runs: RunSources
  readonly queue: StoredQueue
  /** Null: a simulation has no operators. */
  readonly api: Api | null
  readonly close: () => Promise<void>
}

interface FederationContext extends Storage {
  /** As it was opened: operators are told at once that a server is silent. */
  readonly plainStore: Store
  readonly sockets: SocketServer
  readonly engineName: string
  readonly asksCertificate: boolean
  readonly leadership: Leadership
  readonly display: RunDisplay
  readonly log: Log
  readonly signal: AbortSignal
  /** Told of what makes every upload fail. */
  readonly onEnding: (error: Error) => void
}

/** Opens gateway and API on sockets that do not listen yet. */
export async function openFederation(
  options: CoordinatorOptions,
  context: FederationContext,
): Promise<Federation> {
  const { home, staysForRuns } = options
  const { store, plainStore, blobs, quarantineFiles, sockets, display, log, signal, onEnding } =
    context
  const say = (text: string) => {
    display.message(text)
  }
  const desk = createClientDesk(store)
  const lastEvent = await newestEvent(store)
  const board = createBoard({ engine: context.engineName, staysForRuns, lastEvent, log })
  const clients = await attachGateway(sockets, desk.handlers, {
    uploadFolder: join(home, 'uploads'),
    asksCertificate: context.asksCertificate,
    onConnections: board.connectionsChanged,
    onRefused({ name = 'unnamed', address, error }) {
      const details = { reason: error.problem, address }
      // A refusal that the database does not take is told all the same.
      store
        .audit({ actor: `client:${name}`, action: 'client:refused', details })
        .catch((failure: unknown) => say(toGraftError(failure).message))
    },
    log,
    onFault(error) {
      log.error({ event: 'coordinator:fault', code: error.code, problem: error.problem })
      if (ENDING.includes(error.code)) onEnding(error)
      else say(error.message)
    },
  })
  board.watchConnections(() => clients.connected())
  board.count(await countNow(store, quarantineFiles))
  const runs: RunSources = {
    planner: createPlanner({ ...options, blobs, signal }),
    judge: (plan, say) => judgeRun(plan, options, { isOneOfMany: true, isTimed: false, say }),
  }
  const queue = createRunQueue(runs, { blobs })
  const helm = createHelm()
  const kept = { store, blobs, board, helm, quarantineFiles }
  const operations = createOperations({
    ...{ ...kept, gateway: clients },
    queue: staysForRuns ? queue : null,
  })
  const { lost } = context.leadership
  const api = isSimulated()
    ? null
    : await startApi(
        {
          ...{ store: plainStore, blobs, operations, runForm: options.runForm },
          connected: () => clients.connected(),
          isLeading: () => !lost.aborted,
          isEnding: () => options.signal.aborted,
          consoleFolder: findConsoleFolder(),
          onFault: (error) => say(error.message),
          log,
        },
        sockets,
      )

  return {
    rooms: { ...kept, desk, clients },
    runs,
    queue,
    api,
    async close() {
      await api?.close()
      await clients.close()
    },
  }
}
