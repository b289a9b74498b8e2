import { readFile } from 'node:fs/promises'
import { type StatusField, statusBytes } from '../support/status-bytes.ts'
import { createTemporaryFolder } from '../support/temporary-folder.ts'
import { startWatchedCoordinator, type WatchedCoordinator } from '../support/watched-coordinator.ts'
import { withoutGraft } from '../support/without-graft.ts'
import { type LoadRound, runEchoClients } from './echo-clients.ts'
import { writeFewExamples } from './few-examples.ts'
import { createLeakCheck, type Growth } from './leak-check.ts'
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
  /** The same of the clients' process. On few cores the coordinator waits for it, as it would not for clients elsewhere. */
  readonly clientCpuSecondsPerRound: number
  readonly idleMb: number
  readonly peakMb: number
  /** Of the peak: pages of programs and libraries as they lie on disk, of the engine above all; Linux drops them when it wants the room. */
  readonly filesMb: number
  /** Resident after each round. */
  readonly residentMb: readonly number[]
  /** What stays behind a collection; null in fewer than 50 rounds. */
  readonly collected: Growth | null
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
  await using folder = await createTemporaryFolder()
  const home = folder.path
  const model = modelOf(load)
  const data = hasFewExamples ? await writeFewExamples(home, load.clients) : null
  const secrets = { GRAFT_JOIN_TOKEN: TOKEN, ...(database && { DATABASE_URL: database.url }) }
  const viewer = isWatched
    ? await createViewerToken(CLI, ['--home', home], { ...withoutGraft(process.env), ...secrets })
    : null
  const words = wordsOf(load, { model, home, seed, engine, data })
  const coordinator = await startWatchedCoordinator(words, secrets, profiling(profiles))
  const { pid, url } = coordinator
  try {
    const idleMb = megabytesOf(pid, 'VmRSS')
    const idleCpu = await cpuSeconds(pid)
    const idleClientCpu = await cpuSeconds(process.pid)
    const rounds: LoadRound[] = []
    const resident: number[] = []
    const leakCheck = createLeakCheck(load.rounds, () => coordinator.sample())
    const watch =
      viewer === null ? null : createWatch(startOperator(url, viewer), () => cpuSeconds(pid))
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
        resident.push(megabytesOf(pid, 'VmRSS'))
        leakCheck.roundEnded(rounds.length)
        watch?.roundEnded(secondsOf(round))
        onRound(`${nameOf(load)}: ${lineOf(round)}`)
      },
    })
    await Promise.race([clients, failure(coordinator)])
    const seconds = rounds.map(secondsOf).sort((a, b) => a - b)
    const median = seconds[seconds.length >> 1]!
    const bytes = rounds.map((round) => round.bytes).sort((a, b) => a - b)[rounds.length >> 1]!
    return {
      ...{ name: nameOf(load), model, rounds: rounds.length, joinSeconds, idleMb },
      medianRoundSeconds: median,
      worstRoundSeconds: seconds.at(-1)!,
      megabytesPerSecond: bytes / 1e6 / median,
      cpuSecondsPerRound: ((await cpuSeconds(pid)) - idleCpu) / rounds.length,
      clientCpuSecondsPerRound: ((await cpuSeconds(process.pid)) - idleClientCpu) / rounds.length,
      peakMb: megabytesOf(pid, 'VmHWM'),
      filesMb: megabytesOf(pid, 'RssFile'),
      residentMb: resident,
      collected: await leakCheck.end(),
      watched: (await watch?.end()) ?? null,
    }
  } finally {
    coordinator.end()
    await coordinator.ended
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
    ...{ model, clients, rounds: rounds + 1, home, seed, engine },
    ...{ strategy: 'fedavg', tune: 'none', proxy: 10, controls: 'none', scores: 'uniform' },
    deadline: 3600,
    ...(data !== null && { data }),
  }
  return Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)])
}

const profiling = (folder: string | null): string[] =>
  folder === null ? [] : ['--cpu-prof', '--cpu-prof-dir', folder]

async function failure({ ended, complaints }: WatchedCoordinator): Promise<never> {
  const status = await ended
  throw new Error(`the coordinator ended with ${status} before its clients had:\n${complaints()}`)
}

const megabytesOf = (pid: number, field: StatusField): number =>
  Math.round(statusBytes(field, pid) / 2 ** 20)

/** As Linux counts them, hundred a second; NaN elsewhere. */
async function cpuSeconds(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  // Behind the name, which may have spaces: state is field 3, and 14 and 15 are user and system time.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}
