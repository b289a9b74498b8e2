import type { BlobId, ClientId, RunId } from '../../shared/ids.ts'
import type { ClientLane, FederationView, LiveEvent } from '../../shared/protocol/operator/live.ts'
import type { QuarantinedResource } from '../../shared/protocol/operator/resources.ts'
import type { RunSettings } from '../../shared/protocol/run-settings.ts'

/** Who asks, as the audit log names it: `operator:<token label>`. */
export type Actor = `operator:${string}`

/** What an operator may ask of a running coordinator, and what it tells; the API and its live feed stand on this alone. */
export interface Operations {
  federation(): FederationView
  /** Of the round that goes on, by client id; none between rounds. */
  lanes(): ClientLane[]
  /** Of one client; null: it is not in the round. */
  lane(client: ClientId): ClientLane | null
  /**
   * Stored events of all runs behind the one with this id, oldest first; `0.0` is before all of them.
   * @param only of one run
   * @throws GraftError GRAFT_OPTION_INVALID for what is no id of an event
   */
  eventsAfter(id: string, limit: number, only?: RunId): Promise<LiveEvent[]>

  /**
   * Begins a run, or queues it behind the one that goes on.
   * @throws GraftError GRAFT_OPTION_INVALID and the like, as the command line does; GRAFT_ACTION_REFUSED when this
   *   coordinator does not stay for runs
   */
  createRun(settings: RunSettings, by: Actor): Promise<RunId>
  /** The next round waits; the one that goes on ends first. @throws GraftError GRAFT_ACTION_REFUSED */
  pause(run: RunId, by: Actor): Promise<void>
  resume(run: RunId, by: Actor): Promise<void>
  /** As if the deadline had passed. @throws GraftError GRAFT_ACTION_REFUSED unless clients are recruited or awaited */
  endRound(run: RunId, by: Actor): Promise<void>
  /** Gives up the run that goes on, or one that is queued. @throws GraftError GRAFT_ACTION_REFUSED */
  stop(run: RunId, by: Actor): Promise<void>
  /** A new run with the settings of one that is over, from its newest model. @throws as {@link createRun} */
  retry(run: RunId, by: Actor): Promise<RunId>

  /**
   * Refuses a client from now on, ends its connection, and leaves its update out while the round collects.
   * @throws GraftError GRAFT_ACTION_REFUSED when it has never joined, or is banned already
   */
  ban(client: ClientId, reason: string, by: Actor): Promise<void>
  /** @throws GraftError GRAFT_ACTION_REFUSED when it is not banned */
  release(client: ClientId, by: Actor): Promise<void>
  /** Ends the connections that this token admitted, at once. */
  tokenRevoked(tokenId: string): Promise<void>

  /**
   * The next round of the run that goes on starts from this model of the same run, and the strategy from what it
   * remembered with it.
   * @throws GraftError GRAFT_BLOB_UNKNOWN; GRAFT_ACTION_REFUSED when no round is left to start from it
   */
  chooseModel(run: RunId, model: BlobId, by: Actor): Promise<void>

  /** Uploads that are set aside, newest first. */
  quarantine(): Promise<QuarantinedResource[]>
  /**
   * An upload that was set aside counts as accepted, if its round still collects. It is checked again: one that is not
   * finite or not of the run's shape is never released.
   * @throws GraftError GRAFT_ROUND_STALE, GRAFT_NOT_IN_COHORT, GRAFT_ACTION_REFUSED
   */
  releaseUpload(id: string, by: Actor): Promise<void>
  /** @throws GraftError GRAFT_ACTION_REFUSED when it is not there */
  removeUpload(id: string, by: Actor): Promise<void>

  /** @returns how to stop hearing */
  listen(listener: OperationsListener): () => void
}

export interface OperationsListener {
  /** The state of the round or of a client's membership has changed. */
  federationChanged(): void
  laneChanged(client: ClientId): void
  /** It is stored. */
  eventAppended(event: LiveEvent): void
  resourceChanged(resource: 'runs' | 'rounds' | 'clients' | 'models' | 'quarantine'): void
}
