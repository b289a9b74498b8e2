import { GraftError } from '../../shared/errors.ts'
import type { ClientId, RunId } from '../../shared/ids.ts'
import type { GatewayHandlers } from '../gateway/gateway.ts'
import type { Store } from '../store/store.ts'
import { admit } from './admission.ts'

/** Longest wait of a `run:join`; shorter than the time after which a client takes its connection for dead. */
const HOLD_MS = 60_000

/** Answers clients for as long as the process lives, in the name of the run that goes on. */
export interface ClientDesk {
  readonly handlers: GatewayHandlers
  /** A run is being opened: whoever connects now is let in when it has begun. */
  readonly expectRun: () => void
  /** Clients belong to this run from now on. */
  readonly open: (run: RunId, handlers: GatewayHandlers) => void
  /** The run is over, or could not be opened: clients are let in, and wait for the next one. */
  readonly close: () => void
  /** The process ends: nobody waits any more. */
  readonly end: () => void
}

interface OpenRun {
  readonly id: RunId
  readonly handlers: GatewayHandlers
}

/** @param holdMs longest wait of a `run:join` */
export function createClientDesk(store: Store, holdMs: number = HOLD_MS): ClientDesk {
  let current: OpenRun | null = null
  let isExpecting = false
  let hasEnded = false
  /** Whose join was answered, and with which run. */
  const joined = new Map<ClientId, RunId>()
  const waiting = new Set<() => void>()

  function change(): void {
    for (const wake of [...waiting]) wake()
  }

  /** Resolves at the next change, or after so long. */
  function changed(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer)
        waiting.delete(wake)
        resolve()
      }
      const timer = setTimeout(wake, milliseconds)
      waiting.add(wake)
    })
  }

  async function runAfter(after: RunId | undefined): Promise<OpenRun> {
    const patientUntil = performance.now() + holdMs
    for (;;) {
      if (hasEnded) throw shuttingDown()
      if (current !== null && current.id !== after) return current
      const left = patientUntil - performance.now()
      if (left <= 0) throw noRun('No run has begun yet.')
      await changed(left)
    }
  }

  return {
    handlers: {
      async admit(auth, peer) {
        while (isExpecting && current === null && !hasEnded) await changed(holdMs)
        if (hasEnded) throw shuttingDown()
        return current === null ? admit(store, auth, peer) : current.handlers.admit(auth, peer)
      },

      async onJoin(client, after) {
        const run = await runAfter(after)
        joined.set(client, run.id)
        return run.handlers.onJoin(client)
      },

      async onReady(client, ready) {
        // Its examples are those of the run that it joined, which may be over.
        if (current === null || joined.get(client) !== current.id) {
          throw noRun('The run that this client joined is over.')
        }
        await current.handlers.onReady(client, ready)
      },

      onLeft(client) {
        joined.delete(client)
        current?.handlers.onLeft(client)
      },

      onProgress: (client, progress) => current?.handlers.onProgress(client, progress),

      async readBlob(client, pull) {
        if (current === null) throw new GraftError('GRAFT_BLOB_UNKNOWN', 'No run goes on.')
        return current.handlers.readBlob(client, pull)
      },

      checkUpdate(client, begin) {
        if (current === null) throw noRound()
        return current.handlers.checkUpdate(client, begin)
      },

      onUploadProgress: (client, progress) => current?.handlers.onUploadProgress(client, progress),

      async onUpdate(client, update) {
        if (current === null) throw noRound()
        await current.handlers.onUpdate(client, update)
      },

      onDecline: (client, decline) => current?.handlers.onDecline(client, decline),

      onEvaluation: (client, report) => current?.handlers.onEvaluation(client, report),
    },

    expectRun() {
      isExpecting = true
    },
    open(id, handlers) {
      current = { id, handlers }
      isExpecting = false
      change()
    },
    close() {
      current = null
      isExpecting = false
      change()
    },
    end() {
      hasEnded = true
      current = null
      change()
    },
  }
}

function noRun(problem: string): GraftError {
  return new GraftError('GRAFT_NO_RUN', problem)
}

function noRound(): GraftError {
  return new GraftError('GRAFT_ROUND_STALE', 'No run goes on.')
}

function shuttingDown(): GraftError {
  return new GraftError('GRAFT_SERVER_UNREACHABLE', 'The coordinator is shutting down.')
}
