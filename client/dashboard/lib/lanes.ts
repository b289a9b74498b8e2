import { CLIENT_STATES_ORDER } from './state-order.ts'
import type { ClientLane, ClientState } from '../../../shared/protocol/operator/live.ts'

/** Where each state of a round lies on the track of a lane, from its start to its end. */
const STRETCHES: Partial<Record<ClientState, readonly [number, number]>> = {
  invited: [0, 0],
  pulling: [0, 0.1],
  training: [0.1, 0.65],
  attributing: [0.65, 0.78],
  uploading: [0.78, 1],
  accepted: [1, 1],
  evaluating: [1, 1],
  done: [1, 1],
  quarantined: [1, 1],
  refused: [1, 1],
}

/** Ends of the stretches, where a track has its marks. */
export const TRACK_MARKS = [0.1, 0.65, 0.78] as const

/** How far a client is in its round, from 0 to 1; its state alone where it does not tell more. */
export function trackOf({ state, done }: Pick<ClientLane, 'state' | 'done'>): number {
  const [from, to] = STRETCHES[state] ?? [0, 0]
  return from + (to - from) * (done ?? 0)
}

/** How many clients are in each state, in the order of a round; states that nobody is in are left out. */
export function countStates(lanes: Iterable<Pick<ClientLane, 'state'>>): [ClientState, number][] {
  const counts = new Map<ClientState, number>()
  for (const { state } of lanes) counts.set(state, (counts.get(state) ?? 0) + 1)
  return CLIENT_STATES_ORDER.flatMap((state) => {
    const count = counts.get(state)
    return count === undefined ? [] : [[state, count] as [ClientState, number]]
  })
}
