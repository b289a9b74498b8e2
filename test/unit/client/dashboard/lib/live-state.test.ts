import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  hear,
  type LiveMessage,
  MOST_EVENTS,
  NOTHING_HEARD,
} from '../../../../../client/dashboard/lib/live-state.ts'
import { createLiveStore } from '../../../../../client/dashboard/lib/live-store.ts'
import type { ClientLane, LiveEvent } from '../../../../../shared/protocol/operator/live.ts'
import { createLiveWorld } from '../../../../support/console/live-world.ts'
import { createWorld } from '../../../../support/console/world.ts'

const live = createLiveWorld(createWorld({ clients: 5, rounds: 2 }))
const federation = live.federation()
const round = federation.round!.round
const lanes = live.lanes()

describe('hear', () => {
  it('should keep lanes that a message does not name as they are, down to the object', () => {
    const before = after(lanesChanged(round, lanes))
    const moved = { ...lanes[1]!, done: 0.99 }
    const state = hear(before, lanesChanged(round, [moved]))
    expect(state.lanes.get(moved.client)).toBe(moved)
    for (const { client } of lanes.filter((lane) => lane.client !== moved.client)) {
      expect(state.lanes.get(client)).toBe(before.lanes.get(client))
    }
    // Whoever lists the clients has nothing to draw again.
    expect(state.laneIds).toBe(before.laneIds)
  })

  it('should take a client that comes late into the list, in order', () => {
    const before = after(lanesChanged(round, lanes.slice(1)))
    expect(hear(before, lanesChanged(round, [lanes[0]!])).laneIds).toEqual(
      lanes.map(({ client }) => client).sort(),
    )
  })

  it('should begin with new lanes when another round begins', () => {
    const state = after(lanesChanged(round, lanes), lanesChanged(round + 1, lanes.slice(0, 1)))
    expect(state.laneIds).toEqual([lanes[0]!.client])
    expect(state.lanesRound).toBe(round + 1)
  })

  it('should not take lanes of a round that is over', () => {
    const before = after(lanesChanged(round, lanes))
    expect(hear(before, lanesChanged(round - 1, lanes.slice(0, 1)))).toBe(before)
  })

  it.each([
    ['the round is over', { ...federation, round: null }],
    ['another run began', { ...federation, run: 'another' as never }],
    [
      'the next round began',
      { ...federation, round: { ...federation.round!, round: (round + 1) as never } },
    ],
  ])('should forget the lanes when %s', (_, next) => {
    const before = after(federationChanged(federation), lanesChanged(round, lanes))
    const state = hear(before, federationChanged(next))
    expect([...state.lanes, ...state.laneIds]).toEqual([])
    // Those of the first round of another run may have a smaller number.
    expect(hear(state, lanesChanged(1, lanes)).laneIds).toHaveLength(5)
  })

  it('should keep the lanes while the same round goes on', () => {
    const before = after(federationChanged(federation), lanesChanged(round, lanes))
    expect(hear(before, federationChanged({ ...federation, isPaused: true })).lanes).toBe(
      before.lanes,
    )
  })

  it('should list events once, newest first, and no more than it must', () => {
    const told = Array.from({ length: MOST_EVENTS + 5 }, (_, i) => eventAppended(String(i)))
    const state = after(...told, eventAppended(String(MOST_EVENTS)))
    expect(state.events).toHaveLength(MOST_EVENTS)
    expect(state.events[0]!.id).toBe(String(MOST_EVENTS + 4))
    expect(state.events.at(-1)!.id).toBe('5')
  })

  it('should count how often a list has changed', () => {
    const changed: LiveMessage = { type: 'resource:changed', message: { resource: 'tokens' } }
    const { revisions } = after(changed, changed)
    expect(revisions.tokens).toBe(2)
    expect(revisions.runs).toBe(0)
  })

  it('should have every list asked for again after a cut, but not at the first connection', () => {
    const first = after(connection('live'))
    expect(first.revisions).toBe(NOTHING_HEARD.revisions)
    const back = hear(hear(first, connection('reconnecting')), connection('live'))
    expect(Object.values(back.revisions)).toEqual(Object.values(first.revisions).map(() => 1))
  })

  it('should have sorted ids of exactly the lanes, whatever is told', () => {
    const message = fc.oneof(
      fc
        .tuple(fc.integer({ min: 1, max: 4 }), fc.subarray(lanes))
        .map(([of, some]) => lanesChanged(of, some)),
      fc.constantFrom(null, 1, 2, 3, 4).map((of) =>
        federationChanged({
          ...federation,
          round: of === null ? null : { ...federation.round!, round: of as never },
        }),
      ),
      fc.constantFrom('live' as const, 'reconnecting' as const).map(connection),
    )
    fc.assert(
      fc.property(fc.array(message), (messages) => {
        const state = after(...messages)
        expect(state.laneIds).toEqual([...state.lanes.keys()].sort())
      }),
      { seed: 7 },
    )
  })
})

describe('createLiveStore', () => {
  it('should tell listeners of what changed, and of nothing else', () => {
    const store = createLiveStore()
    let told = 0
    const stop = store.subscribe(() => told++)
    store.tell(connection('live'))
    store.tell(connection('live'))
    expect(told).toBe(1)
    stop()
    store.tell(connection('reconnecting'))
    expect(told).toBe(1)
    expect(store.read().connection).toBe('reconnecting')
  })
})

// Helpers

const after = (...messages: readonly LiveMessage[]) => messages.reduce(hear, NOTHING_HEARD)

const federationChanged = (of: typeof federation): LiveMessage => ({
  type: 'federation:changed',
  message: { federation: of },
})

const lanesChanged = (of: number, some: ClientLane[]): LiveMessage => ({
  type: 'lanes:changed',
  message: { round: of as never, lanes: some },
})

const eventAppended = (id: string): LiveMessage => ({
  type: 'event:appended',
  message: { event: { id, text: id } as LiveEvent },
})

const connection = (of: 'live' | 'reconnecting'): LiveMessage => ({
  type: 'connection',
  connection: of,
})
