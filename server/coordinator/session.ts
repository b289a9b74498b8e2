import { EventEmitter } from 'node:events'
import type { BlobId, ClientId, RoundNumber, RunId } from '../../shared/ids.ts'
import type { BlobRef, ClientReady } from '../../shared/protocol/messages.ts'
import type { RoundReport } from '../../shared/protocol/run-report.ts'
import type { RunSettings } from '../../shared/protocol/run-settings.ts'
import type { Gateway, GatewayHandlers } from '../gateway/gateway.ts'
import type { RunDisplay } from '../report/progress.ts'
import type { QuarantineFiles } from '../store/quarantine-files.ts'
import type { BlobStore, RunRecord, Store } from '../store/store.ts'
import { createGate, type Gate } from './gate.ts'
import type { Board } from './live/board.ts'
import { createRoundRecord, type RoundRecord } from './round-record.ts'
import type { Round } from './run-round.ts'
import type { Workbench } from './workbench.ts'

/** What a coordinator works with; opened and closed by `start-coordinator.ts`. */
export interface Federation {
  readonly settings: RunSettings
  /** The run to go on with; when absent, the unfinished one of these settings, or a new one. */
  readonly run?: RunRecord
  /** Aborted when an operator gives up the run; what fuses and tunes ends with it, too. */
  readonly stop: AbortController
  readonly store: Store
  readonly blobs: BlobStore
  readonly workbench: Workbench
  readonly display: RunDisplay
  /** What operators see, beside the display. */
  readonly board: Board
  /** Where refused uploads are set aside for the operator. */
  readonly quarantineFiles: QuarantineFiles
  /** Newest rounds whose updates stay on disk. @default all */
  readonly keepUpdates?: number
  /** Lets clients into this run, until the gateway is closed. */
  listen(run: RunId, handlers: GatewayHandlers): Promise<Gateway>
  /** A round is over; its report and its model are stored. */
  onRound(report: RoundReport, model: BlobId): Promise<void>
  /** Ends the work between two events; the journal keeps the run. */
  readonly signal: AbortSignal
  /** Told of the run while operators may steer it. */
  readonly helm: Helm
}

/** What changes while a run goes on; the handlers of client messages look here. */
export interface Session {
  readonly run: RunRecord
  /**
   * Resolves when a round goes on in this process, or the run is over. Clients are let in then: one that is
   * in the middle of an upload would else be told that its round takes none.
   */
  readonly begun: Promise<void>
  readonly begin: () => void
  round: Round | null
  record: RoundRecord
  /** Clients that are connected and have their examples. */
  readonly ready: Set<ClientId>
  /** Clients that this run has invited, in this process or an earlier one. */
  readonly members: Set<ClientId>
  /** What each client said that it trains on; an update that says otherwise is refused. */
  readonly announced: Map<ClientId, ClientReady>
  /** Emits `ready` when a client is connected and has its examples. */
  readonly arrivals: EventEmitter<{ ready: [client: ClientId] }>
  /** Blobs that clients may pull. */
  readonly offered: Map<BlobId, BlobRef>
  /** Models that are offered, by what is stored: a run may have an encoding for the wire. */
  readonly forClients: Map<BlobId, BlobRef>
  /** What clients of the round that goes on train from; null before the first round. */
  start: BlobRef | null
  /** What clients rehearse; null when the run does not. */
  proxy: BlobRef | null
  /** Closed while the next round waits for an operator. */
  readonly gate: Gate
  /** Aborted when an operator gives up the run. */
  readonly stop: AbortController
  /** The round that begins next. */
  nextRound: number
  /** Models that operators chose for rounds to start from. */
  readonly chosen: Map<number, BlobId>
  /** Global models of this run, and what goes with each. */
  readonly models: Map<BlobId, ModelPast>
}

/** What is kept in memory of a global model; its ledger is in the store, as runs have many rounds. */
export interface ModelPast {
  /** What the strategy remembers with it; null: nothing. */
  readonly state: BlobId | null
  /** The round that published it, or kept it last; null of an untrained one. */
  readonly publishedIn: RoundNumber | null
}

/** A run that operators may steer. */
export interface SteeredRun {
  readonly session: Session
  readonly workbench: Workbench
}

/** Where operators find the run that goes on. */
export interface Helm {
  /** Null while no run goes on, while one is being opened, and while clients are told that it is over. */
  readonly steered: SteeredRun | null
  take(run: SteeredRun): void
  leave(): void
  /** One after the other: the beginning of a round, and choosing what it starts from. */
  exclusively<Result>(work: () => Promise<Result>): Promise<Result>
}

/** @param stop given where other work is to end with the run */
export function createSession(
  run: RunRecord,
  stop: AbortController = new AbortController(),
): Session {
  let begin!: () => void
  const begun = new Promise<void>((resolve) => (begin = resolve))
  return {
    run,
    begun,
    begin,
    round: null,
    record: createRoundRecord(),
    ready: new Set(),
    members: new Set(),
    announced: new Map(),
    arrivals: new EventEmitter(),
    offered: new Map(),
    forClients: new Map(),
    start: null,
    proxy: null,
    gate: createGate(run.status === 'paused'),
    stop,
    nextRound: 1,
    chosen: new Map(),
    models: new Map(),
  }
}
