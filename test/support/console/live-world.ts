import { createRng } from '../../../shared/numeric/rng.ts'
import type { ClientId, RoundNumber } from '../../../shared/ids.ts'
import type {
  ClientLane,
  FederationView,
  LiveEvent,
  RoundView,
} from '../../../shared/protocol/operator/live.ts'
import { hexOf, type World } from './world.ts'

/** The round that goes on in a made-up federation; `tick` moves it. */
export interface LiveWorld {
  federation(): FederationView
  lanes(): ClientLane[]
  laneOf(client: ClientId): ClientLane
  events(): readonly LiveEvent[]
  /** @returns lanes and events that are new */
  tick(): { lanes: ClientLane[]; events: LiveEvent[] }
  readonly paused: { is: boolean }
}

const SIZE = 249_312

export function createLiveWorld(world: World, now: () => number = Date.now): LiveWorld {
  const { clientIds, run } = world
  const rng = createRng('live')
  const began = now()
  const at = (offsetSeconds: number) => new Date(began + offsetSeconds * 1000).toISOString()
  const round = (run.rounds + 1) as RoundNumber
  // How far each client is, from 0 (invited) to 1 (accepted).
  const progress = clientIds.map((_, i) =>
    Math.min(1, 0.08 + 1.1 * rng.next() * (i % 9 === 8 ? 0.3 : 1)),
  )
  const isAway = clientIds.map((_, i) => i % 17 === 4 && clientIds.length > 4)
  const isBad = clientIds.map((_, i) => i % 23 === 3 && clientIds.length > 4)
  const paused = { is: false }
  let eventId = 100

  function laneOf(i: number): ClientLane {
    const done = progress[i]!
    const base = {
      client: clientIds[i]!,
      since: at(-4 - Math.floor(20 * done)),
      isInCohort: true,
      problem: null,
      losses: lossesOf(i, done),
    }
    const loss = base.losses.at(-1) ?? null
    const none = { ...base, loss, done: null, receivedBytes: 0, sizeBytes: null }
    if (isAway[i]) return { ...none, state: 'away' }
    if (isBad[i] && done > 0.6)
      return {
        ...none,
        state: 'quarantined',
        receivedBytes: SIZE,
        sizeBytes: SIZE,
        problem: 'kernel of dense_1: 3 of 30,720 values are not finite.',
      }
    if (done < 0.05) return { ...none, state: 'invited' }
    if (done < 0.12) return { ...none, state: 'pulling', done: (done - 0.05) / 0.07 }
    if (done < 0.7) return { ...none, state: 'training', done: (done - 0.12) / 0.58 }
    if (done < 0.8) return { ...none, state: 'attributing', done: (done - 0.7) / 0.1 }
    if (done < 1) {
      const share = (done - 0.8) / 0.2
      return {
        ...none,
        state: 'uploading',
        done: share,
        receivedBytes: Math.round(share * SIZE),
        sizeBytes: SIZE,
      }
    }
    return { ...none, state: 'accepted', receivedBytes: SIZE, sizeBytes: SIZE }
  }

  const curves = clientIds.map((_, i) => {
    const own = createRng(`loss ${i}`)
    return Array.from({ length: 60 }, (_, step) => {
      const fallen = (1.4 + 0.5 * (i % 3)) * Math.exp(-step / (12 + (i % 5) * 3))
      return Number((0.25 + fallen + 0.08 * own.next()).toFixed(4))
    })
  })

  const lossesOf = (i: number, done: number): number[] =>
    curves[i]!.slice(0, Math.max(0, Math.round(((done - 0.12) / 0.58) * 60)))

  const updates = () => progress.filter((done, i) => done >= 1 && !isAway[i] && !isBad[i]).length

  function view(): RoundView | null {
    if (clientIds.length === 0) return null
    return {
      run: run.id,
      round,
      phase: 'collecting',
      phaseSince: at(-41),
      detail: null,
      beganAt: at(-46),
      deadlineAt: at(run.settings.deadlineSeconds - 41),
      cohort: clientIds.length,
      quorum: run.settings.quorum,
      goal: clientIds.length,
      updates: updates(),
      remainingSeconds: run.rounds === 0 ? null : 52,
      failure: null,
    }
  }

  function eventOf(i: number, offsetSeconds: number): LiveEvent {
    return {
      id: `4.${++eventId}`,
      at: at(offsetSeconds),
      run: run.id,
      round,
      type: 'update-received',
      phase: 'collecting',
      client: clientIds[i]!,
      text: `${clientIds[i]!} has sent its update: 249 kB, ${[1243, 5830, 3127][i % 3]!} examples.`,
    }
  }

  const past: LiveEvent[] =
    clientIds.length === 0
      ? []
      : [
          ...clientIds.slice(0, 4).map((client, i): LiveEvent => ({
            ...{ id: `4.${++eventId}`, at: at(-46 + i), run: run.id, round },
            type: 'client-ready',
            phase: 'recruiting',
            client,
            text: `${client} is ready.`,
          })),
          {
            ...{ id: `4.${++eventId}`, at: at(-41), run: run.id, round },
            type: 'deadline-passed',
            phase: 'collecting',
            client: null,
            text: `${clientIds.length} clients are invited; ${run.settings.quorum} updates suffice at the deadline.`,
          },
        ]
  progress.forEach((done, i) => {
    if (done >= 1 && past.length < 30 && !isAway[i] && !isBad[i])
      past.push(eventOf(i, -20 + past.length * 0.5))
  })

  return {
    paused,
    lanes: () => clientIds.map((_, i) => laneOf(i)),
    laneOf: (client) => laneOf(clientIds.indexOf(client)),
    events: () => past,
    federation: () => ({
      version: '0.1.0',
      engine: 'native',
      since: at(-5 * 3600),
      staysForRuns: true,
      run: clientIds.length === 0 ? null : run.id,
      isPaused: paused.is,
      round: view(),
      clients: {
        connected: clientIds.length - isAway.filter(Boolean).length,
        known: clientIds.length + (clientIds.length > 0 ? 1 : 0),
        banned: clientIds.length > 0 ? 1 : 0,
        quarantined: isBad.filter((bad, i) => bad && progress[i]! > 0.6).length,
      },
      globalModel: run.modelSha256 ?? (clientIds.length === 0 ? null : hexOf('initial')),
      lastEventId: `4.${eventId}`,
    }),
    tick: () => {
      const lanes: ClientLane[] = []
      const events: LiveEvent[] = []
      clientIds.forEach((_, i) => {
        const before = progress[i]!
        if (before >= 1 || isAway[i]) return
        progress[i] = Math.min(1, before + 0.002 + 0.012 * rng.next())
        lanes.push(laneOf(i))
        if (progress[i] >= 1 && !isBad[i]) {
          const event = { ...eventOf(i, 0), at: new Date(now()).toISOString() }
          past.push(event)
          events.push(event)
        }
      })
      return { lanes, events }
    },
  }
}
