import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { type StatusField, statusBytes } from '../support/status-bytes.ts'
import { withoutGraft } from '../support/without-graft.ts'
import { type LoadRound, runEchoClients } from './echo-clients.ts'
import { writeFewExamples } from './few-examples.ts'
import { type LoadCase, modelOf, nameOf } from './load-case.ts'
import { createViewerToken, startOperator } from './operator.ts'
import { createWatch, type Watched } from './watched-rounds.ts'

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
  /** Processor time of all threads of the coordinator for each round: other processes on the machine do not change it. */
  readonly cpuSecondsPerRound: number
  readonly idleMb: number
  readonly peakMb: number
  /** Of the peak: pages of programs and libraries as they lie on disk, of the engine above all; Linux drops them when it wants the room. */
  readonly filesMb: number
  /** Resident after each round. */
  readonly residentMb: readonly number[]
  /** What an operator who looks costs; null: there was none. */
  readonly watched: Watched | null
}

interface Setting {
  readonly seed: number
  readonly engine: string
  /** In place of MNIST, whose 10,000 test images judge each network. */
  readonly hasFewExamples: boolean
  /** Whether clients report how far they are, and an operator looks at every other block of rounds. */
  readonly isWatched: boolean
  /** Where the coordinator writes its CPU profile; null: none is taken. */
  readonly profiles: string | null
  /** Null: the embedded one. */
  readonly database: { readonly url: string } | null
  /** Told of each round. */
  readonly onRound: (line: string) => void
}

/** A real coordinator process, with clients in this one that send back what they get. */
export async function measureCase(
  load: LoadCase,
  { seed, engine, hasFewExamples, isWatched, profiles, database, onRound }: Setting,
): Promise<LoadResult> {
  const home = await mkdtemp(join(tmpdir(), 'graft-load-'))
  const model = modelOf(load)
  const data = hasFewExamples ? await writeFewExamples(home, load.clients) : null
  const env = {
    ...withoutGraft(process.env),
    GRAFT_JOIN_TOKEN: TOKEN,
    ...(database && { DATABASE_URL: database.url }),
  }
  const viewer = isWatched ? await createViewerToken(CLI, ['--home', home], env) : null
  const coordinator = spawn(
    process.execPath,
    [...profiling(profiles), CLI, ...wordsOf(load, { model, home, seed, engine, data })],
    {
      env,
      // No channel to it: with one it takes this for a simulation, and serves no operators.
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const ended = once(coordinator, 'exit')
  try {
    const url = await Promise.race([urlFrom(coordinator.stdout), failure(ended)])
    const idleMb = megabytesOf(coordinator, 'VmRSS')
    const idleCpu = await cpuSeconds(coordinator)
    const rounds: LoadRound[] = []
    const resident: number[] = []
    const watch =
      viewer === null
        ? null
        : createWatch(startOperator(url, viewer), () => cpuSeconds(coordinator))
    let joinSeconds = 0
    const clients = runEchoClients({
      server: url,
      token: TOKEN,
      clients: load.clients,
      last: load.rounds,
      report: isWatched,
      onJoined: (seconds) => (joinSeconds = seconds),
      onRound(round) {
        rounds.push(round)
        resident.push(megabytesOf(coordinator, 'VmRSS'))
        watch?.roundEnded(secondsOf(round))
        onRound(`${nameOf(load)}: ${lineOf(round)}`)
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
      cpuSecondsPerRound: ((await cpuSeconds(coordinator)) - idleCpu) / rounds.length,
      peakMb: megabytesOf(coordinator, 'VmHWM'),
      filesMb: megabytesOf(coordinator, 'RssFile'),
      residentMb: resident,
      watched: (await watch?.end()) ?? null,
    }
  } finally {
    coordinator.kill()
    await ended
    await rm(home, { recursive: true, force: true })
  }
}

const secondsOf = ({ startedAt, endedAt }: LoadRound): number => (endedAt - startedAt) / 1000

function lineOf({ round, startedAt, pulledAt, sentAt, endedAt }: LoadRound): string {
  const [pulled, sent, ended] = [pulledAt, sentAt, endedAt].map((at) =>
    ((at - startedAt) / 1000).toFixed(2),
  )
  return `round ${round}, all have the model after ${pulled} s, all updates are in after ${sent} s, published after ${ended} s`
}

interface Words extends Pick<Setting, 'seed' | 'engine'> {
  readonly model: string
  readonly home: string
  /** A table of examples; null: MNIST. */
  readonly data: string | null
}

/** The least that a coordinator does: average, look at the test split, decide. */
function wordsOf(
  { clients, rounds }: LoadCase,
  { model, home, seed, engine, data }: Words,
): string[] {
  const options = {
    // One more than is measured: behind the last one the coordinator ends.
    ...{ port: 0, model, clients, rounds: rounds + 1, home, seed, engine },
    ...{ strategy: 'fedavg', tune: 'none', proxy: 10, controls: 'none', scores: 'uniform' },
    deadline: 3600,
    ...(data !== null && { data }),
  }
  const words = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)])
  return ['coordinator', ...words]
}

const profiling = (folder: string | null): string[] =>
  folder === null ? [] : ['--cpu-prof', '--cpu-prof-dir', folder]

async function urlFrom(output: Readable): Promise<string> {
  return await new Promise((resolve) => {
    // Read to its end: a coordinator whose output nobody takes would wait.
    createInterface({ input: output }).on('line', (line) => {
      const [, url] = /^Listening on (\S+)\.$/.exec(line) ?? []
      if (url !== undefined) resolve(url)
    })
  })
}

async function failure(ended: Promise<unknown[]>): Promise<never> {
  const [status] = await ended
  throw new Error(`the coordinator ended with ${String(status)} before its clients had`)
}

const megabytesOf = ({ pid }: ChildProcess, field: StatusField): number =>
  Math.round(statusBytes(field, pid) / 2 ** 20)

/** As Linux counts them, hundred a second; NaN elsewhere. */
async function cpuSeconds({ pid }: ChildProcess): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  // Behind the name, which may have spaces: state is field 3, and 14 and 15 are user and system time.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}
