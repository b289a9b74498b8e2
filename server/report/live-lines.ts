import type { Colors } from '../../shared/command/text-stream.ts'
import { compareIds } from '../../shared/ids.ts'
import { clockTime } from '../../shared/terminal/format.ts'
import { progressBar } from '../../shared/terminal/progress-bar.ts'

/** What the live block shows. */
export interface LiveState {
  readonly round: number
  readonly phase: string
  readonly detail: string
  readonly elapsedMs: number
  readonly clients: ReadonlyMap<string, LiveClient>
}

export interface LiveClient {
  readonly state: string
  /** Share of it done, 0 to 1; null when unknown. */
  readonly done: number | null
  /** e.g. `loss 0.123`. */
  readonly note: string
}

/** Beyond this many, clients are summed up: more lines than these are not read. */
const MAX_CLIENT_LINES = 12
const LONGEST_BAR = 30
const SHORTEST_BAR = 5

export interface LiveLinesOptions {
  /** Characters in a line of the terminal. */
  readonly columns: number
  /** Lines of the terminal. */
  readonly rows: number
  readonly colors: Colors
}

/** The block's lines: phase and time, then a line for each client, or one for each state when they are many. */
export function liveLines(state: LiveState, { columns, rows, colors }: LiveLinesOptions): string[] {
  const { round, phase, detail, elapsedMs, clients } = state
  const head = [`round ${round}`, phase, detail, clockTime(elapsedMs)].filter((part) => part !== '')
  const atMost = Math.min(MAX_CLIENT_LINES, rows - 2)
  const table = clients.size <= atMost ? clientRows(clients) : stateRows(clients)

  const nameWidth = Math.max(0, ...table.map(({ name }) => name.length))
  const stateWidth = Math.max(0, ...table.map((row) => row.state.length))
  // Behind the bar: "100 %", two spaces, the note.
  const noteWidth = Math.max(0, ...table.map(({ note }) => note.length))
  const room = columns - nameWidth - stateWidth - noteWidth - 11
  const barWidth = Math.min(LONGEST_BAR, Math.max(SHORTEST_BAR, room))
  const lines = table.map(({ name, state: shown, done, note }) => {
    const share = done === null ? '' : `${Math.floor(100 * done)} %`
    const bar = done === null ? ' '.repeat(barWidth) : colors.cyan(progressBar(done, barWidth))
    return `${name.padEnd(nameWidth)}  ${shown.padEnd(stateWidth)} ${bar} ${share.padStart(5)}  ${note}`.trimEnd()
  })
  return [colors.bold(head.join(' · ')), ...lines]
}

interface TableRow extends LiveClient {
  readonly name: string
}

function clientRows(clients: LiveState['clients']): TableRow[] {
  return [...clients]
    .toSorted(([a], [b]) => compareIds(a, b))
    .map(([name, client]) => ({ name, ...client }))
}

/** One row a state, by its name, with the mean share done of the clients in it. */
function stateRows(clients: LiveState['clients']): TableRow[] {
  const byState = new Map<string, LiveClient[]>()
  for (const client of clients.values()) {
    const members = byState.get(client.state)
    if (members === undefined) byState.set(client.state, [client])
    else members.push(client)
  }
  return [...byState]
    .toSorted(([a], [b]) => compareIds(a, b))
    .map(([state, members]) => {
      const known = members.map(({ done }) => done).filter((done) => done !== null)
      const done = known.length === 0 ? null : known.reduce((a, b) => a + b, 0) / known.length
      return { name: `${members.length} of ${clients.size} clients`, state, done, note: '' }
    })
}
