import type { RunId } from '../../shared/ids.ts'
import type { ClientLane, FederationView, LiveEvent } from '../../shared/protocol/operator/live.ts'
import type { WatchState } from './watch-lines.ts'

/** What a terminal that watches is told. */
export type WatchNews =
  | { readonly type: 'federation'; readonly federation: FederationView }
  | { readonly type: 'lanes'; readonly lanes: readonly ClientLane[] }
  | { readonly type: 'event'; readonly event: LiveEvent }
  | { readonly type: 'accuracies'; readonly run: RunId; readonly accuracies: readonly number[] }
  | { readonly type: 'connection'; readonly connection: WatchState['connection'] }

/** Events that are kept; more are not shown. */
const MOST_EVENTS = 50

export const NOTHING_SEEN: WatchState = {
  federation: null,
  lanes: [],
  events: [],
  accuracies: [],
  connection: 'connecting',
}

/** What is known after one more piece of news. Lanes belong to a round, and accuracies to a run. */
export function learn(state: WatchState, news: WatchNews): WatchState {
  switch (news.type) {
    case 'federation': {
      const { federation } = news
      const before = state.federation
      const isSameRun = before?.run === federation.run
      const isSameRound = isSameRun && before.round?.round === federation.round?.round
      return {
        ...state,
        federation,
        lanes: isSameRound ? state.lanes : [],
        accuracies: isSameRun ? state.accuracies : [],
      }
    }
    case 'lanes': {
      const lanes = new Map(state.lanes.map((lane) => [lane.client, lane]))
      for (const lane of news.lanes) lanes.set(lane.client, lane)
      return { ...state, lanes: [...lanes.values()] }
    }
    case 'event':
      return { ...state, events: [...state.events, news.event].slice(-MOST_EVENTS) }
    case 'accuracies':
      return state.federation?.run === news.run ? { ...state, accuracies: news.accuracies } : state
    case 'connection':
      return { ...state, connection: news.connection }
  }
}
