import { type ClientId, compareIds } from '../../../shared/ids.ts'
import type { ClientLane, ClientState } from '../../../shared/protocol/operator/live.ts'
import { createLossCurve, type LossCurve } from './loss-curve.ts'

/** What has been learnt of a client; what is not named stays. */
export interface LaneNews {
  readonly state?: ClientState
  /** Share of the state that is done. */
  readonly done?: number
  readonly loss?: number
  readonly receivedBytes?: number
  readonly sizeBytes?: number
  /** Why its update was quarantined or refused. */
  readonly problem?: string
}

/** The clients of one round, as an operator sees them. */
export interface Lanes {
  readonly tell: (client: ClientId, news: LaneNews) => void
  /** By client id; who is in the cohort is asked of `isInCohort`. */
  readonly list: (isInCohort: (client: ClientId) => boolean) => ClientLane[]
  /** Null: it is not in the round. */
  readonly find: (client: ClientId, isInCohort: (client: ClientId) => boolean) => ClientLane | null
  readonly has: (client: ClientId) => boolean
  /** A new round: those who are connected begin anew, the others are forgotten. */
  readonly restart: (connected: readonly ClientId[]) => void
  readonly clear: () => void
}

interface Lane {
  state: ClientState
  since: Date
  done: number | null
  loss: number | null
  readonly curve: LossCurve
  receivedBytes: number
  sizeBytes: number | null
  problem: string | null
  /** Its update counts; what it says of its way there comes too late. */
  isAccepted: boolean
}

/** What comes before an update is accepted. */
const BEFORE_ACCEPTED: ReadonlySet<ClientState> = new Set<ClientState>([
  'ready',
  'invited',
  'pulling',
  'training',
  'attributing',
  'uploading',
])

/** What a repeated invitation does not change: its client is at it already. */
const AT_WORK: ReadonlySet<ClientState> = new Set<ClientState>([
  'pulling',
  'training',
  'attributing',
  'uploading',
])

export function createLanes(): Lanes {
  const lanes = new Map<ClientId, Lane>()

  function tell(client: ClientId, news: LaneNews): void {
    const lane = lanes.get(client) ?? newLane('ready')
    lanes.set(client, lane)
    if (news.state === 'invited' && AT_WORK.has(lane.state)) return
    const state = lane.isAccepted && isBefore(news.state) ? 'accepted' : news.state
    if (state !== undefined && state !== lane.state) {
      Object.assign(lane, { state, since: new Date(), done: null })
      if (state === 'accepted') Object.assign(lane, { isAccepted: true, problem: null })
    }
    if (news.done !== undefined && state === news.state) lane.done = news.done
    if (news.loss !== undefined) {
      lane.loss = news.loss
      lane.curve.add(news.loss)
    }
    lane.receivedBytes = news.receivedBytes ?? lane.receivedBytes
    lane.sizeBytes = news.sizeBytes ?? lane.sizeBytes
    lane.problem = news.problem ?? lane.problem
  }

  return {
    tell,
    has: (client) => lanes.has(client),
    list: (isInCohort) =>
      [...lanes]
        .sort(([a], [b]) => compareIds(a, b))
        .map(([client, lane]) => toView(client, lane, isInCohort(client))),
    find(client, isInCohort) {
      const lane = lanes.get(client)
      return lane === undefined ? null : toView(client, lane, isInCohort(client))
    },
    restart(connected) {
      lanes.clear()
      for (const client of connected) lanes.set(client, newLane('ready'))
    },
    clear() {
      lanes.clear()
    },
  }
}

function toView(client: ClientId, lane: Lane, isInCohort: boolean): ClientLane {
  return {
    client,
    state: lane.state,
    since: lane.since.toISOString(),
    done: lane.done,
    loss: lane.loss,
    losses: lane.curve.points(),
    receivedBytes: lane.receivedBytes,
    sizeBytes: lane.sizeBytes,
    isInCohort,
    problem: lane.problem,
  }
}

function isBefore(state: ClientState | undefined): boolean {
  return state !== undefined && BEFORE_ACCEPTED.has(state)
}

function newLane(state: ClientState): Lane {
  return {
    state,
    since: new Date(),
    done: null,
    loss: null,
    curve: createLossCurve(),
    receivedBytes: 0,
    sizeBytes: null,
    problem: null,
    isAccepted: false,
  }
}
