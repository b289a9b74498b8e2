import type {
  ClientLane,
  EventAppended,
  FederationChanged,
  FederationView,
  LanesChanged,
  LiveEvent,
  ChangedResource,
  ResourceChanged,
} from '../../../shared/protocol/operator/live.ts'

export type Resource = ChangedResource

/** `away`: the browser says that it has no network. `refused`: the session is over. */
export type Connection = 'connecting' | 'live' | 'reconnecting' | 'away' | 'refused'

/** Everything that the live feed has told, and nothing else. */
export interface LiveState {
  readonly connection: Connection
  readonly federation: FederationView | null
  /** Which round the lanes belong to; null: none was told. */
  readonly lanesRound: number | null
  /** By client. A lane that did not change is the same object as before. */
  readonly lanes: ReadonlyMap<string, ClientLane>
  /** Sorted; the same array until a client comes or goes. */
  readonly laneIds: readonly string[]
  /** Newest first. */
  readonly events: readonly LiveEvent[]
  /** How often each list has changed since the page was opened: whoever shows one asks again. */
  readonly revisions: Readonly<Record<Resource, number>>
}

export type LiveMessage =
  | { readonly type: 'federation:changed'; readonly message: FederationChanged }
  | { readonly type: 'lanes:changed'; readonly message: LanesChanged }
  | { readonly type: 'event:appended'; readonly message: EventAppended }
  | { readonly type: 'resource:changed'; readonly message: ResourceChanged }
  | { readonly type: 'connection'; readonly connection: Connection }

/** Events that are kept; more are a page of the API away. */
export const MOST_EVENTS = 200

export const NOTHING_HEARD: LiveState = {
  connection: 'connecting',
  federation: null,
  lanesRound: null,
  lanes: new Map(),
  laneIds: [],
  events: [],
  revisions: {
    runs: 0,
    rounds: 0,
    clients: 0,
    models: 0,
    quarantine: 0,
    tokens: 0,
    sessions: 0,
    audit: 0,
  },
}

/** What is known after one more message; the same object where it says nothing new. */
export function hear(state: LiveState, heard: LiveMessage): LiveState {
  switch (heard.type) {
    case 'federation:changed':
      return withFederation(state, heard.message.federation)
    case 'lanes:changed':
      return withLanes(state, heard.message)
    case 'event:appended':
      return withEvent(state, heard.message.event)
    case 'resource:changed': {
      const { resource } = heard.message
      return {
        ...state,
        revisions: { ...state.revisions, [resource]: state.revisions[resource] + 1 },
      }
    }
    case 'connection':
      return withConnection(state, heard.connection)
  }
}

function withFederation(state: LiveState, federation: FederationView): LiveState {
  const { round } = federation
  const isAnother =
    state.federation !== null && state.federation.run !== federation.run && state.lanes.size > 0
  const isOver = round === null || (state.lanesRound !== null && state.lanesRound !== round.round)
  return { ...state, federation, ...(isOver || isAnother ? withoutLanes(state) : {}) }
}

function withoutLanes(state: LiveState): Partial<LiveState> {
  if (state.lanes.size === 0) return { lanesRound: null }
  return { lanesRound: null, lanes: new Map(), laneIds: [] }
}

function withLanes(state: LiveState, { round, lanes }: LanesChanged): LiveState {
  const isSame = state.lanesRound === round
  // Lanes of a round that is over come late and say nothing any more.
  if (!isSame && state.lanesRound !== null && round < state.lanesRound) return state
  const next = new Map(isSame ? state.lanes : [])
  for (const lane of lanes) next.set(lane.client, lane)
  const hasNewClient = !isSame || next.size !== state.lanes.size
  return {
    ...state,
    lanesRound: round,
    lanes: next,
    laneIds: hasNewClient ? [...next.keys()].sort() : state.laneIds,
  }
}

function withEvent(state: LiveState, event: LiveEvent): LiveState {
  // What was told while the page was cut off may be told twice.
  if (state.events.some(({ id }) => id === event.id)) return state
  return { ...state, events: [event, ...state.events].slice(0, MOST_EVENTS) }
}

function withConnection(state: LiveState, connection: Connection): LiveState {
  if (state.connection === connection) return state
  const isBack = connection === 'live' && state.connection !== 'connecting'
  if (!isBack) return { ...state, connection }
  // Events are sent again, word that a list has changed is not: every list may have.
  const revisions = Object.fromEntries(
    Object.entries(state.revisions).map(([resource, count]) => [resource, count + 1]),
  ) as LiveState['revisions']
  return { ...state, connection, revisions }
}
