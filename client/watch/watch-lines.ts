import { compareIds } from '../../shared/ids.ts'
import type { Colors } from '../../shared/command/text-stream.ts'
import type {
  ClientLane,
  ClientState,
  FederationView,
  LiveEvent,
} from '../../shared/protocol/operator/live.ts'
import { percent } from '../../shared/terminal/format.ts'
import { progressBar } from '../../shared/terminal/progress-bar.ts'

/** What an operator on a terminal sees; all of it comes from the coordinator. */
export interface WatchState {
  readonly federation: FederationView | null
  readonly lanes: readonly ClientLane[]
  /** Newest last. */
  readonly events: readonly LiveEvent[]
  /** Accuracy of the published model of each round of the run, oldest first. */
  readonly accuracies: readonly number[]
  readonly connection: 'connecting' | 'connected' | 'lost'
}

export interface WatchOptions {
  readonly columns: number
  readonly rows: number
  readonly colors: Colors
  /** Milliseconds since 1970. */
  readonly now: number
}

const MOST_EVENTS = 6
const LEAST_LANES = 3
const STEPS = '▁▂▃▄▅▆▇█'

/** The screen, top to bottom: where the run is, its curve, who does what, what happened last. */
export function watchLines(state: WatchState, options: WatchOptions): string[] {
  const { federation, connection } = state
  const { colors, rows } = options
  if (federation === null) return [connection === 'lost' ? 'Connection lost.' : 'Connecting.']
  const head = [...headLines(federation, options), ...curveLines(state.accuracies, options)]
  const events = state.events.slice(-MOST_EVENTS).map((event) => eventLine(event, options))
  const room = Math.max(LEAST_LANES, rows - head.length - events.length - 4)
  const notice =
    connection === 'connected' ? [] : [colors.yellow('Connection lost; trying to get it back.')]
  return [
    ...head,
    '',
    ...laneLines(state.lanes, room, options),
    ...(events.length > 0 ? ['', ...events] : []),
    ...notice,
  ].map((line) => clip(line, options))
}

function headLines(federation: FederationView, { colors, now }: WatchOptions): string[] {
  const { round, clients, isPaused, run } = federation
  const counts = [
    `${clients.connected} of ${clients.known} clients connected`,
    ...(clients.quarantined > 0 ? [`in quarantine: ${clients.quarantined}`] : []),
    ...(clients.banned > 0 ? [`banned: ${clients.banned}`] : []),
  ]
  const title = [
    colors.bold('Graft'),
    run === null ? 'no run goes on' : `run ${run.slice(0, 8)}`,
    ...(isPaused ? [colors.yellow('paused')] : []),
    counts.join(', '),
  ].join(' · ')
  if (round === null) return [title]
  const { phase, detail, deadlineAt, updates, cohort, quorum, remainingSeconds } = round
  const parts = [
    colors.bold(`round ${round.round}: ${phase}`),
    ...(detail === null ? [] : [detail]),
    `${updates} of ${cohort} updates, ${quorum} suffice`,
    ...(deadlineAt === null
      ? []
      : [`deadline in ${secondsText((Date.parse(deadlineAt) - now) / 1000)}`]),
    ...(remainingSeconds === null ? [] : [`about ${secondsText(remainingSeconds)} left`]),
  ]
  return [title, parts.join(' · ')]
}

/** The newest rounds that there is room for, between their own extremes. */
function curveLines(accuracies: readonly number[], { columns }: WatchOptions): string[] {
  const last = accuracies.at(-1)
  if (last === undefined) return []
  const shown = accuracies.slice(-Math.max(1, columns - 40))
  const [least, most] = [Math.min(...shown), Math.max(...shown)]
  const curve = shown.map((accuracy) => {
    const height = most > least ? (accuracy - least) / (most - least) : 1
    return STEPS[Math.round(height * (STEPS.length - 1))]!
  })
  return [`accuracy ${curve.join('')} ${percent(last)}, best ${percent(Math.max(...accuracies))}`]
}

/** A line each while there is room; the ones that hold the round up come first, the rest in one line. */
function laneLines(lanes: readonly ClientLane[], room: number, options: WatchOptions): string[] {
  const ordered = [...lanes].sort(
    (a, b) => RANKS[a.state] - RANKS[b.state] || compareIds(a.client, b.client),
  )
  const shown = ordered.length <= room ? ordered : ordered.slice(0, room - 1)
  const nameWidth = Math.max(0, ...shown.map(({ client }) => client.length))
  const rest = new Map<string, number>()
  for (const { state } of ordered.slice(shown.length)) rest.set(state, (rest.get(state) ?? 0) + 1)
  const others = [...rest].map(([state, count]) => `${count} ${state}`)
  return [
    ...shown.map((lane) => laneLine(lane, nameWidth, options)),
    ...(others.length > 0
      ? [`and ${ordered.length - shown.length} more: ${others.join(', ')}`]
      : []),
  ]
}

const STATE_WIDTH = 'quarantined'.length

function laneLine(lane: ClientLane, nameWidth: number, { colors }: WatchOptions): string {
  const { client, state, done, loss, problem, receivedBytes, sizeBytes } = lane
  const bar = done === null ? ' '.repeat(16) : colors.cyan(progressBar(done, 16))
  const notes = [
    ...(loss === null ? [] : [`loss ${loss.toFixed(4)}`]),
    ...(state === 'uploading' && sizeBytes !== null
      ? [`${(receivedBytes / 1e6).toFixed(1)} of ${(sizeBytes / 1e6).toFixed(1)} MB`]
      : []),
    ...(problem === null ? [] : [colors.red(problem)]),
  ]
  return `${client.padEnd(nameWidth)}  ${state.padEnd(STATE_WIDTH)} ${bar} ${notes.join(', ')}`.trimEnd()
}

/** Trouble first, then work under way, then who is done. */
const RANKS = {
  quarantined: 0,
  refused: 0,
  away: 1,
  ready: 2,
  invited: 2,
  pulling: 2,
  training: 2,
  attributing: 2,
  uploading: 2,
  evaluating: 2,
  accepted: 3,
  done: 3,
} as const satisfies Record<ClientState, number>

function eventLine({ at, text }: LiveEvent, { colors }: WatchOptions): string {
  return `${colors.dim(at.slice(11, 19))} ${text}`
}

function secondsText(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  return whole < 120 ? `${whole} s` : `${Math.round(whole / 60)} min`
}

/** Colours take no room; a line that is too long is cut by the block that draws it. */
function clip(line: string, { columns }: WatchOptions): string {
  const visible = line.replace(/\u001b\[[0-9;]*m/g, '')
  return visible.length <= columns ? line : `${visible.slice(0, columns - 1)}…`
}
