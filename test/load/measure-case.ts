import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { CoordinatorListening } from '../../shared/protocol/process-messages.ts'
import { withoutGraft } from '../support/without-graft.ts'
import { type LoadRound, runEchoClients } from './echo-clients.ts'
import { type LoadCase, modelOf, nameOf } from './load-case.ts'

const CLI = 'dist/cli.js'
const TOKEN = 'a-join-token-for-load-tests'

export interface LoadResult {
  readonly name: string
  readonly model: string
  readonly rounds: number
  /** Until the last client had joined. */
  readonly joinSeconds: number
  /** From the first invitation that arrived to the last client that heard of the round's model. */
  readonly medianRoundSeconds: number
  readonly worstRoundSeconds: number
  /** Payload of all clients, both ways, in the median round. */
  readonly megabytesPerSecond: number
  readonly idleMb: number
  readonly peakMb: number
  /** Resident after each round. */
  readonly residentMb: readonly number[]
}

interface Setting {
  readonly seed: number
  readonly engine: string
  /** Null: the embedded one. */
  readonly database: { readonly url: string } | null
  /** Told of each round. */
  readonly onRound: (line: string) => void
}

/** A real coordinator process, with clients in this one that send back what they get. */
export async function measureCase(
  load: LoadCase,
  { seed, engine, database, onRound }: Setting,
): Promise<LoadResult> {
  const home = await mkdtemp(join(tmpdir(), 'graft-load-'))
  const model = modelOf(load)
  const coordinator = spawn(
    process.execPath,
    [CLI, ...wordsOf(load, { model, home, seed, engine })],
    {
      env: {
        ...withoutGraft(process.env),
        GRAFT_JOIN_TOKEN: TOKEN,
        ...(database && { DATABASE_URL: database.url }),
      },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    },
  )
  const ended = once(coordinator, 'exit')
  try {
    const [message] = (await Promise.race([
      once(coordinator, 'message'),
      failure(ended),
    ])) as unknown[]
    const { url } = CoordinatorListening.parse(message)
    const idleMb = await residentMb(coordinator)
    const rounds: LoadRound[] = []
    const resident: Promise<number>[] = []
    let joinSeconds = 0
    const clients = runEchoClients({
      server: url,
      token: TOKEN,
      clients: load.clients,
      last: load.rounds,
      onJoined: (seconds) => (joinSeconds = seconds),
      onRound(round) {
        rounds.push(round)
        resident.push(residentMb(coordinator))
        onRound(`${nameOf(load)}: round ${round.round}, ${secondsOf(round).toFixed(2)} s`)
      },
    })
    await Promise.race([clients, failure(ended)])
    const seconds = rounds.map(secondsOf).sort((a, b) => a - b)
    const median = seconds[seconds.length >> 1]!
    const bytes = rounds.map((round) => round.bytes).sort((a, b) => a - b)[rounds.length >> 1]!
    return {
      ...{ name: nameOf(load), model, rounds: rounds.length, joinSeconds, idleMb },
      medianRoundSeconds: median,
      worstRoundSeconds: seconds.at(-1)!,
      megabytesPerSecond: bytes / 1e6 / median,
      peakMb: await peakMb(coordinator),
      residentMb: await Promise.all(resident),
    }
  } finally {
    coordinator.kill()
    await ended
    await rm(home, { recursive: true, force: true })
  }
}

const secondsOf = ({ startedAt, endedAt }: LoadRound): number => (endedAt - startedAt) / 1000

/** The least that a coordinator does: average, look at the test split, decide. */
function wordsOf(
  { clients, rounds }: LoadCase,
  { model, home, seed, engine }: { model: string; home: string; seed: number; engine: string },
): string[] {
  const options = {
    // One more than is measured: only the last round measures controls, which no other coordinator has.
    ...{ port: 0, model, clients, rounds: rounds + 1, home, seed, engine },
    ...{ strategy: 'fedavg', tune: 'none', proxy: 10, controls: 'last', scores: 'uniform' },
    deadline: 3600,
  }
  const words = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)])
  return ['coordinator', ...words]
}

async function failure(ended: Promise<unknown[]>): Promise<never> {
  const [status] = await ended
  throw new Error(`the coordinator ended with ${String(status)} before its clients had`)
}

const residentMb = (of: ChildProcess): Promise<number> => memoryOf(of, 'VmRSS')
const peakMb = (of: ChildProcess): Promise<number> => memoryOf(of, 'VmHWM')

/** MiB, as Linux counts them; NaN elsewhere, and of a process that has ended. */
async function memoryOf({ pid }: ChildProcess, field: 'VmRSS' | 'VmHWM'): Promise<number> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  const kibibytes = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]
  return kibibytes === undefined ? NaN : Math.round(Number(kibibytes) / 1024)
}
