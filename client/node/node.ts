import { GraftError } from '../../shared/errors.ts'
import type { BlobId, ClientId, RunId } from '../../shared/ids.ts'
import { type Log, SILENT } from '../../shared/log/log.ts'
import { openNetwork } from '../../shared/model/open-network.ts'
import {
  type BlobRef,
  type ClientProgress,
  Done,
  MAX_WINDOW_BYTES,
  RunJoined,
} from '../../shared/protocol/messages.ts'
import type { RunSettings } from '../../shared/protocol/run-settings.ts'
import { transferWindow } from '../../shared/protocol/transfer-window.ts'
import { GRAFT_VERSION } from '../../shared/protocol/graft-version.ts'
import type { Privacy } from '../privacy/privacy.ts'
import { assertSmallEnough, bytesOf, MAX_MODEL_BYTES } from './model-limit.ts'
import type { ClientTls } from './client-tls.ts'
import { connect, type Connection, type News } from './connection.ts'
import { followRun, type NodeSummary, RunUnserved } from './follow-run.ts'
import { createMailbox } from './mailbox.ts'
import { createNodeLog } from './node-log.ts'
import type { NodeEvent } from './progress.ts'
import {
  type ClientData,
  createWork,
  type Participant,
  receive,
  takePart,
  tell,
  type Work,
} from './round.ts'
import { pullBlob, pushUpdate, type TransferOptions } from './transfer.ts'

export interface NodeOptions {
  /** Addresses of the coordinator, as in `http://127.0.0.1:7433`, and of those that may follow it. */
  readonly servers: readonly string[]
  /** What it trusts and shows at https:// addresses. */
  readonly tls?: ClientTls
  readonly token: string
  /** Not needed with a token made for one client. */
  readonly name?: ClientId
  /** Name of the engine of this process, for the operator to see. */
  readonly engineName: string
  /** Whether to take part in run after run, until `signal` ends the node. @default false */
  readonly stays?: boolean
  /** Seconds without a connection after which the node gives up. @default 30 */
  readonly retrySeconds?: number
  /** The node's examples under the id that it has; the run's settings say how a shared data set is split. */
  readonly dataFor: (settings: RunSettings, id: ClientId) => Promise<ClientData>
  /** Largest model, and largest file of any kind, that is taken from a coordinator. @default MAX_MODEL_BYTES */
  readonly maxModelBytes?: number
  /** Makes private what is sent. @default it is sent as it is */
  readonly privacy?: Privacy
  readonly onProgress?: (event: NodeEvent) => void
  /**
   * Gives the node another way to work, or to the coordinator, each time it has joined; many nodes of one
   * process take turns on its engine so.
   * @default as it is
   */
  readonly equip?: (participant: Participant) => Participant
  /**
   * Told of every blob that was pulled and is not of this client alone; what it returns is kept in its place.
   * @default the same bytes
   */
  readonly keepBlob?: (id: BlobId, bytes: Uint8Array) => Uint8Array
  /** Gets a line for each thing that happens to it. @default SILENT */
  readonly log?: Log
  /** Ends the node; it leaves the coordinator and rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

/**
 * A client of a federation, from joining a run to its end. The engine must be started before. Many
 * nodes can run in one process: they share nothing but the engine.
 *
 * @throws GraftError GRAFT_SERVER_UNREACHABLE; the coordinator's refusal to let it in; a failure of its own
 */
export async function runNode(options: NodeOptions): Promise<NodeSummary> {
  const { servers, token, name, engineName: engine, retrySeconds = 30, signal } = options
  const { maxModelBytes: mostBytes = MAX_MODEL_BYTES, privacy } = options
  signal?.throwIfAborted()

  const news = createMailbox<News>()
  const log = createNodeLog(options.log ?? SILENT, () => connection.id())
  const onEvent = (event: NodeEvent) => {
    log.event(event)
    options.onProgress?.(event)
  }
  const connection: Connection = connect({
    servers,
    ...(options.tls && { tls: options.tls }),
    auth: { token, version: GRAFT_VERSION, engine, ...(name === undefined ? {} : { name }) },
    retrySeconds,
    onNews: (message) => {
      log.news(message)
      news.put(message)
    },
  })
  signal?.addEventListener('abort', connection.close, { once: true })

  const equip = options.equip ?? ((participant: Participant) => participant)
  const pull = rememberPulls(async (blob, transfer) => {
    assertSmallEnough(blob.sizeBytes, 'What the coordinator offers', mostBytes)
    const bytes = await pullBlob(connection, blob, { ...transfer, windowBytes })
    return (transfer.isOwn ? undefined : options.keepBlob?.(blob.id, bytes)) ?? bytes
  })

  let work: Work | undefined
  let windowBytes = MAX_WINDOW_BYTES

  /** What this node has for a run, however often it joins. */
  let prepared: { readonly run: RunId; readonly data: ClientData } | undefined

  /** Examples and network of a run. @throws RunUnserved when there are none of either */
  async function prepare({ run, settings, clientId }: RunJoined): Promise<ClientData> {
    if (prepared?.run === run) return prepared.data
    try {
      const data = await options.dataFor(settings, clientId)
      // Refused before anybody counts on this client, not in its first round.
      const network = await openNetwork(settings, data.train)
      assertSmallEnough(bytesOf(network), `The model ${network.name}`, mostBytes)
      work = createWork(network, settings.encoding, privacy)
      windowBytes = transferWindow(settings.clients)
      prepared = { run, data }
      return data
    } catch (error) {
      throw new RunUnserved(run, error)
    }
  }

  async function join(previous: Participant | null, after?: RunId): Promise<Participant> {
    const joined = await untilRun(() =>
      connection.request('run:join', after === undefined ? {} : { after }, RunJoined),
    )
    const isSameRun = previous?.run === joined.run
    const data = await prepare(joined)
    const numExamples = data.train.labels.length
    const told = tell(data, privacy !== undefined)
    try {
      await connection.request('client:ready', told, Done)
    } catch (error) {
      // While this node prepared for it, the run has ended.
      if (isNoRun(error)) return join(previous, after)
      throw error
    }
    if (!isSameRun) onEvent({ type: 'joined', numExamples, ...joined })
    return equip({
      run: joined.run,
      joined,
      data,
      work: work!,
      wire: {
        pull,
        push: (update, transfer) =>
          pushUpdate(connection, update, { ...transfer, onBegin: log.uploading(update.round) }),
        report: async (evaluation) => {
          await connection.request('evaluation:report', evaluation, Done)
        },
        decline: async (round) => {
          await connection.request('evaluation:decline', { round }, Done)
        },
      },
      onProgress: (progress) => {
        connection.notify(privacy === undefined ? progress : withoutLoss(progress))
        onEvent({ type: 'progress', ...progress })
      },
    })
  }

  try {
    return await followRun(
      news,
      {
        join,
        takePart,
        receive: async (participant, published) => {
          const report = await receive(participant, published)
          if (report !== null) onEvent({ type: 'evaluated', ...report })
        },
      },
      { signal: connection.over, onEvent, stays: options.stays === true },
    )
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  } finally {
    signal?.removeEventListener('abort', connection.close)
    connection.close()
  }
}

/** Asks again as long as there is no run; the coordinator takes its time to say so. */
async function untilRun<Joined>(ask: () => Promise<Joined>): Promise<Joined> {
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      if (!isNoRun(error)) throw error
    }
  }
}

function isNoRun(error: unknown): boolean {
  return error instanceof GraftError && error.code === 'GRAFT_NO_RUN'
}

type Pull = (blob: BlobRef, transfer: TransferOptions) => Promise<Uint8Array>

/** The model, the proxy set, and what a strategy adds to every client's gradients. */
const REMEMBERED_PULLS = 3

/**
 * Pulls a blob once: the model that a round ends with is the one the next begins with, and the proxy set
 * stays the same. Keeps those used last, without blobs of one round's own.
 */
function rememberPulls(pull: Pull): Pull {
  const kept = new Map<string, Promise<Uint8Array>>()
  return async (blob, transfer) => {
    if (transfer.isOwn) return pull(blob, transfer)
    const bytes = kept.get(blob.id) ?? pull(blob, transfer)
    kept.delete(blob.id)
    kept.set(blob.id, bytes)
    const [oldest] = kept.keys()
    if (kept.size > REMEMBERED_PULLS && oldest !== undefined) kept.delete(oldest)
    try {
      return await bytes
    } catch (error) {
      kept.delete(blob.id)
      throw error
    }
  }
}

/** How well training goes tells of the examples. */
function withoutLoss({ round, phase, done }: ClientProgress): ClientProgress {
  return { round, phase, done }
}
