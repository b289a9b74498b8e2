import { type BlobId, ClientId } from '../../../shared/ids.ts'
import { GRAFT_VERSION } from '../../../shared/protocol/graft-version.ts'
import {
  CLIENT_STATES,
  type ClientLane,
  type ClientState,
  type FederationView,
  type RoundView,
} from '../../../shared/protocol/operator/live.ts'
import { type Log, SILENT } from '../../../shared/log/log.ts'
import type { RunDisplay } from '../../report/run-display.ts'
import type { RunRecord } from '../../store/store.ts'
import type { OperationsListener } from '../operations.ts'
import { rulesOf } from '../round-rules.ts'
import { isOver, type RoundEvent, type RoundState } from '../round-state.ts'
import { createLanes } from './lanes.ts'
import { type EventPlace, eventId, NO_EVENT, toLiveEvent } from './live-events.ts'
import { logLine } from './log-line.ts'
import { memoryLine } from './memory-line.ts'
import { type PhaseSeconds, remainingSeconds } from './remaining-seconds.ts'

/** What operators see of a coordinator while it works; it is told of everything and decides nothing. */
export interface Board {
  /** To be shown beside that of the terminal. */
  readonly display: RunDisplay
  readonly federation: () => FederationView
  readonly lanes: () => ClientLane[]
  readonly lane: (client: ClientId) => ClientLane | null
  readonly listen: (listener: OperationsListener) => () => void
  /** Says which clients are connected, once there is a gateway. */
  readonly watchConnections: (connected: () => readonly ClientId[]) => void
  /** A client has come or gone, whether a run goes on or not. */
  readonly connectionsChanged: () => void
  /** Numbers that change now and then. */
  readonly count: (numbers: Partial<Counts>) => void
  readonly runBegan: (run: RunRecord) => void
  readonly runEnded: () => void
  readonly paused: (isPaused: boolean) => void
  /** What the next round starts from. */
  readonly globalModel: (model: BlobId) => void
  /** @param since when its first event was stored, of a round that an earlier process began */
  readonly roundBegan: (state: RoundState, since: Date) => void
  readonly stepped: (state: RoundState) => void
  readonly deadline: (at: Date) => void
  /** @param seconds what its phases took; undefined of one that failed */
  readonly roundEnded: (seconds: PhaseSeconds | undefined) => void
  readonly invited: (client: ClientId) => void
  /** Its update was set aside. */
  readonly quarantined: (client: ClientId, problem: string) => void
  /** Its update was refused. */
  readonly refused: (client: ClientId, problem: string) => void
  /** An event is stored. */
  readonly appended: (run: RunRecord, seq: number, event: RoundEvent, next: RoundState) => void
  readonly changed: (resource: Parameters<OperationsListener['resourceChanged']>[0]) => void
}

interface Counts {
  /** Clients that have ever joined. */
  readonly known: readonly ClientId[]
  readonly banned: number
  /** Uploads that are set aside. */
  readonly quarantined: number
}

interface BoardFacts {
  readonly engine: string
  readonly staysForRuns: boolean
  /** The newest event that is stored. */
  readonly lastEvent?: EventPlace
  /** Gets a line for each event that is stored. @default SILENT */
  readonly log?: Log
}

interface CurrentRound {
  state: RoundState
  readonly beganAt: Date
  phaseSince: Date
  detail: string | null
  deadlineAt: Date | null
  cohort: ReadonlySet<ClientId>
  updates: number
}

/** What the display calls by another name. */
const STATES: Readonly<Record<string, ClientState>> = { uploaded: 'accepted' }

export function createBoard({
  engine,
  staysForRuns,
  lastEvent = NO_EVENT,
  log = SILENT,
}: BoardFacts): Board {
  const since = new Date()
  const lanes = createLanes()
  const listeners = new Set<OperationsListener>()
  let connected: () => readonly ClientId[] = () => []
  const known = new Set<ClientId>()
  let counts: Omit<Counts, 'known'> = { banned: 0, quarantined: 0 }
  let run: RunRecord | null = null
  let isPaused = false
  let globalModel: BlobId | null = null
  let round: CurrentRound | null = null
  let earlier: PhaseSeconds[] = []
  let last = lastEvent
  /** Where memory was last looked at. */
  let weighedAt = ''

  function federationChanged(): void {
    for (const listener of listeners) listener.federationChanged()
  }
  const changed: Board['changed'] = (resource) => {
    for (const listener of listeners) listener.resourceChanged(resource)
  }

  function tell(client: ClientId, news: Parameters<typeof lanes.tell>[1]): void {
    if (round === null) return
    lanes.tell(client, news)
    for (const listener of listeners) listener.laneChanged(client)
  }

  function viewOf({ state, ...current }: CurrentRound, { id, settings }: RunRecord): RoundView {
    const { cohortSize, quorum, goal } = rulesOf(settings)
    const elapsed = (Date.now() - current.phaseSince.getTime()) / 1000
    return {
      run: id,
      round: state.round,
      phase: state.phase,
      phaseSince: current.phaseSince.toISOString(),
      detail: current.detail,
      beganAt: current.beganAt.toISOString(),
      deadlineAt: current.deadlineAt?.toISOString() ?? null,
      cohort: state.phase === 'recruiting' ? cohortSize : current.cohort.size,
      quorum,
      goal,
      updates: current.updates,
      remainingSeconds: isHeldUp(state, cohortSize)
        ? null
        : remainingSeconds(state.phase, elapsed, earlier),
      failure: state.phase === 'failed' ? state.code : null,
    }
  }

  /** Whether the round waits for somebody who is not there: nobody knows for how long. */
  function isHeldUp(state: RoundState, cohortSize: number): boolean {
    if (state.phase === 'recruiting') return connected().length < cohortSize
    if (state.phase !== 'collecting') return false
    const here = new Set(connected())
    return state.cohort.some((client) => !here.has(client) && !(client in state.updates))
  }

  const isInCohort = (client: ClientId): boolean => round?.cohort.has(client) === true

  function stepped(state: RoundState): void {
    if (round === null) return
    if (state.phase !== round.state.phase) {
      Object.assign(round, { phaseSince: new Date(), detail: null, deadlineAt: null })
    }
    note(round, state)
    federationChanged()
  }

  return {
    display: {
      phase(_round, _phase, detail) {
        if (detail === undefined || round === null) return
        round.detail = detail
        federationChanged()
      },
      clientState(name, { state: said, done, loss }) {
        const state = STATES[said] ?? (said as ClientState)
        if (!CLIENT_STATES.includes(state)) return
        const news = { ...(done !== undefined && { done }), ...(loss !== undefined && { loss }) }
        tell(ClientId.parse(name), { state, ...news })
        if (state === 'ready' || state === 'away') {
          federationChanged()
          changed('clients')
        }
      },
      upload(name, receivedBytes, sizeBytes) {
        const done = receivedBytes / sizeBytes
        tell(ClientId.parse(name), { state: 'uploading', done, receivedBytes, sizeBytes })
      },
      message: () => undefined,
      finish: () => undefined,
    },

    federation: () => ({
      version: GRAFT_VERSION,
      engine,
      since: since.toISOString(),
      staysForRuns,
      run: run?.id ?? null,
      isPaused,
      round: round && run && viewOf(round, run),
      clients: { connected: connected().length, known: known.size, ...counts },
      globalModel,
      lastEventId: eventId(last),
    }),
    lanes: () => lanes.list(isInCohort),
    lane: (client) => lanes.find(client, isInCohort),

    listen(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    watchConnections(ask) {
      connected = ask
    },
    connectionsChanged() {
      for (const client of connected()) known.add(client)
      federationChanged()
      changed('clients')
    },
    count({ known: clients = [], ...numbers }) {
      for (const client of clients) known.add(client)
      counts = { ...counts, ...numbers }
      federationChanged()
    },

    runBegan(record) {
      run = record
      earlier = []
      isPaused = record.status === 'paused'
      federationChanged()
      changed('runs')
    },
    runEnded() {
      run = round = globalModel = null
      isPaused = false
      lanes.clear()
      federationChanged()
      changed('runs')
    },
    paused(is) {
      isPaused = is
      federationChanged()
      changed('runs')
    },
    globalModel(model) {
      globalModel = model
      federationChanged()
      changed('models')
    },

    roundBegan(state, beganAt) {
      const cohort = new Set<ClientId>()
      const now = { detail: null, deadlineAt: null, cohort, updates: 0 }
      round = { ...now, state, beganAt, phaseSince: new Date() }
      note(round, state)
      lanes.restart(connected())
      federationChanged()
      changed('rounds')
    },
    stepped,
    deadline(at) {
      if (round === null) return
      round.deadlineAt = at
      federationChanged()
    },
    roundEnded(seconds) {
      if (seconds !== undefined) earlier = [...earlier, seconds]
      round = null
      lanes.clear()
      federationChanged()
      changed('rounds')
    },

    invited: (client) => tell(client, { state: 'invited' }),
    quarantined(client, problem) {
      tell(client, { state: 'quarantined', problem })
      changed('quarantine')
    },
    refused: (client, problem) => tell(client, { state: 'refused', problem }),

    appended(of, seq, event, next) {
      const { phase } = next
      log.info(logLine({ run: of.id, seq, event, next }))
      const place = `round ${event.round}: ${phase}`
      if (place !== weighedAt && log.isLevelEnabled('debug')) {
        weighedAt = place
        log.debug(memoryLine({ run: of.id, round: event.round, phase }))
      }
      last = { run: of.number, seq }
      const live = toLiveEvent({ run: of, seq, at: new Date(), event, phase })
      for (const listener of listeners) listener.eventAppended(live)
    },
    changed,
  }
}

/** What a state says, and a later one leaves out. */
function note(round: CurrentRound, state: RoundState): void {
  const before = 'cohort' in round.state ? round.state.cohort : null
  round.state = state
  if ('cohort' in state && state.cohort !== before) round.cohort = new Set(state.cohort)
  if ('updates' in state) round.updates = Object.keys(state.updates).length
  if (isOver(state)) round.deadlineAt = null
}
