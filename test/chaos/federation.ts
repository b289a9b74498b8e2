import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createTestDatabase } from '../support/database.ts'
import { freePort } from '../support/free-port.ts'
import { createTemporaryFolder } from '../support/temporary-folder.ts'
import { type Blows, createBlows } from './blows.ts'
import { startClientProbe } from './client-probe.ts'
import { createCleanup } from './cleanup.ts'
import { check, type Undisturbed, type Verdict } from './checker/check.ts'
import type { Evidence } from './checker/evidence.ts'
import { readEvidence } from './checker/read-evidence.ts'
import type { ClientNews } from './client-messages.ts'
import { type ClientProcess, startClientProcess } from './client-processes.ts'
import { type CoordinatorKeeper, type FallenKill, keepCoordinator } from './coordinator-keeper.ts'
import { keepPair, type PairOptions } from './coordinator-pair.ts'
import { watchJournal } from './journal-watch.ts'
import { CLIENT_PHASES, type ClientKill, type ClientPhase, type FederationPlan } from './plan.ts'
import {
  COHORT,
  coordinatorWords,
  dataTable,
  type Setting,
  standbyWords,
  TOKEN,
} from './setting.ts'
import type { Takeover } from './takeovers.ts'
import { startTroubledBucket, type TroubledBucket } from './troubled-bucket.ts'
import { startTroubledLink, type TroubledLink } from './troubled-link.ts'

/** Seconds without a new phase after which somebody waits for ever. */
const STALL_SECONDS = 120
/** Of clients that send a spoilt update first. */
const SPOILT = 0.15
const CLIENTS_OF_A_PROCESS = 2

export interface Outcome extends Verdict {
  readonly kills: readonly FallenKill[]
  readonly clientKills: Readonly<Record<ClientKill['how'], number>>
  readonly links: TroubledLink['counts']
  /** Null without one. */
  readonly bucket: TroubledBucket['counts'] | null
  readonly seconds: number
  readonly takeovers: readonly Takeover[]
  /** Leaders that came back late, and ended. */
  readonly deposed: number
  /** For whoever looks for the cause of a violation; null without one. */
  readonly trace:
    (Pick<Evidence, 'journal' | 'audit' | 'records'> & { output: readonly string[] }) | null
}

export interface FederationOptions {
  readonly setting: Setting
  /** Of what is drawn while it runs. */
  readonly seed: string
  readonly plan: FederationPlan
  /** Clients there are; those beyond the cohort may take a place in it. */
  readonly clients: number
  readonly undisturbed: Undisturbed | null
  /** Ends all processes, and rejects with its reason. */
  readonly signal: AbortSignal
  /** Two coordinators on one database, and one folder or bucket. */
  readonly hasStandby: boolean
  /** Blobs in a bucket, in the place of a folder. */
  readonly hasBucket: boolean
  /** Of the coordinators. @default the built `graft` */
  readonly cli?: string | undefined
  /** Whether nobody is struck while there is nobody to take over. */
  readonly waitsForStandby: boolean
}

/** A federation from its first process to its last, with all that the plan has for it; then the checker looks. */
export async function runChaosFederation(options: FederationOptions): Promise<Outcome> {
  const { setting, plan, seed, undisturbed, signal } = options
  const since = performance.now()
  await using cleanup = createCleanup()
  const folder = cleanup.use(await createTemporaryFolder())
  const database = cleanup.use(await createTestDatabase())
  const [home, records] = [join(folder.path, 'home'), join(folder.path, 'records')]
  const homes = options.hasStandby ? [join(folder.path, 'a'), join(folder.path, 'b')] : [home]
  const data = join(folder.path, 'data.csv')
  const bucket = options.hasBucket ? cleanup.use(await startTroubledBucket(plan.bucket)) : null
  await mkdir(records)
  await writeFile(data, dataTable(setting.seed))

  const stall = createStall(STALL_SECONDS)
  cleanup.defer(stall.stop)
  const clientKills = { process: 0, client: 0 }
  const failures = createFailures()

  const common = {
    env: { DATABASE_URL: database.url, GRAFT_JOIN_TOKEN: TOKEN, ...bucket?.env },
    cli: options.cli,
    kills: plan.coordinatorKills,
    onProgress: stall.reset,
    waitsForStandby: options.waitsForStandby,
  }
  const words = (own: string) => [
    ...coordinatorWords(setting, { home: own, data }),
    ...(bucket?.words ?? (options.hasStandby ? ['--shared', home] : [])),
  ]
  const pair = options.hasStandby ? await startPair({ ...common, words: homes.map(words) }) : null
  const coordinator = cleanup.use(pair ?? keepCoordinator({ ...common, words: words(home) }))
  const urls = await Promise.race([
    coordinator.urls,
    coordinator.finished.then((): string[] => []),
    rejection(signal),
  ])
  if (pair !== null) cleanup.use(startClientProbe(urls, TOKEN, pair.answered))
  const watch = await watchJournal(database.url, {
    slowMs: plan.slowJournalMs,
    onRow(row) {
      if (row.table === 'journal_event') pair?.journalled()
      if (row.table === 'model') coordinator.see('saved', row.round)
      else if (row.type === 'update-received') coordinator.see('journalled', row.round)
      else if (row.type === 'model-evaluated') coordinator.see('published', row.round)
    },
  })
  cleanup.defer(watch.close)

  const linksOf: TroubledLink[][] = []
  for (let client = 0; client < options.clients; client++) {
    const faults = plan.links[client] ?? []
    const start = (url: string) => startTroubledLink(url, faults, coordinator.seeBytes)
    linksOf.push((await Promise.all(urls.map(start))).map((link) => cleanup.use(link)))
  }
  const links = linksOf.flat()

  const processes: ClientProcess[] = []
  const blows = Array.from({ length: options.clients }, (_, client): Blows<ClientPhase> =>
    createBlows<ClientPhase, ClientKill>(plan.clientKills[client] ?? [], CLIENT_PHASES, (kill) => {
      const place = processes[Math.floor(client / CLIENTS_OF_A_PROCESS)]
      clientKills[kill.how]++
      if (kill.how === 'process') place?.kill()
      else place?.drop(nameOf(client))
      blows[client]?.rearm()
    }),
  )
  cleanup.defer(() => {
    for (const each of blows) each.stop()
  })
  for (let first = 0; first < options.clients; first += CLIENTS_OF_A_PROCESS) {
    const members = Array.from(
      { length: Math.min(CLIENTS_OF_A_PROCESS, options.clients - first) },
      (_, offset) => first + offset,
    )
    const started = startClientProcess(
      {
        clients: members.map((client) => ({
          name: nameOf(client),
          shard: client % COHORT,
          servers: linksOf[client]!.map(({ url }) => url),
        })),
        ...{ shards: COHORT, data, engine: setting.engine, token: TOKEN, records, seed },
        spoilt: SPOILT,
      },
      (news) => onNews(news, { coordinator, blows, failures }),
    )
    processes.push(cleanup.use(started))
  }

  const failure = await Promise.race([
    coordinator.finished.then(() => null, String),
    failures.first,
    stall.passed,
    rejection(signal),
  ])
  for (const process of processes) await process[Symbol.asyncDispose]()
  await coordinator[Symbol.asyncDispose]()
  await bucket?.save(home)
  const evidence = await readEvidence({ home, homes, records, query: database.query })
  const verdict = check(evidence, undisturbed)
  const violations = [
    ...(failure === null ? [] : [{ invariant: 'everybody comes to an end', problem: failure }]),
    ...verdict.violations,
  ]
  const { journal, audit, records: written } = evidence
  const trace = { journal, audit, records: written, output: coordinator.output }
  return {
    ...verdict,
    violations,
    trace: violations.length > 0 ? trace : null,
    kills: coordinator.fallen,
    takeovers: pair?.takeovers ?? [],
    deposed: pair?.deposed() ?? 0,
    clientKills,
    links: {
      cuts: links.reduce((sum, { counts }) => sum + counts.cuts, 0),
      slowed: links.reduce((sum, { counts }) => sum + counts.slowed, 0),
    },
    bucket: bucket?.counts ?? null,
    seconds: (performance.now() - since) / 1000,
  }
}

async function startPair({
  words,
  ...common
}: Omit<PairOptions, 'words' | 'urls'> & { words: readonly string[][] }) {
  const ports = [await freePort(), await freePort()] as const
  const wordsOf = (index: 0 | 1) => [...words[index]!, ...standbyWords(ports[index])]
  const urlOf = (index: 0 | 1) => `http://127.0.0.1:${ports[index]}`
  return keepPair({ ...common, words: [wordsOf(0), wordsOf(1)], urls: [urlOf(0), urlOf(1)] })
}

const nameOf = (client: number): string => `client-${client}`

function onNews(
  news: ClientNews,
  {
    coordinator,
    blows,
    failures,
  }: {
    coordinator: CoordinatorKeeper
    blows: readonly Blows<ClientPhase>[]
    failures: ReturnType<typeof createFailures>
  },
): void {
  switch (news.type) {
    case 'phase':
      blows[Number(news.client.slice(nameOf(0).length - 1))]?.see({
        round: news.round,
        stage: news.phase,
      })
      if (news.phase === 'accepted') coordinator.see('acknowledged', news.round)
      return
    case 'finished':
      coordinator.see('farewell')
      return
    case 'failed':
      failures.add(`${news.client} ended: ${news.problem}`)
  }
}

/** Rejects when the signal is aborted. */
function rejection(signal: AbortSignal): Promise<never> {
  const rejected = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
  })
  rejected.catch(() => undefined) // whoever races it hears of it
  return rejected
}

/** The first of what must not happen. */
function createFailures() {
  let fail!: (problem: string) => void
  const first = new Promise<string>((resolve) => (fail = resolve))
  return { first, add: fail }
}

/** Resolves when nothing was reset for so long. */
function createStall(seconds: number) {
  let tell!: (problem: string) => void
  const passed = new Promise<string>((resolve) => (tell = resolve))
  const stall = () => tell(`no phase ended within ${seconds} s`)
  let timer = setTimeout(stall, seconds * 1000)
  return {
    passed,
    reset() {
      clearTimeout(timer)
      timer = setTimeout(stall, seconds * 1000)
    },
    stop: () => clearTimeout(timer),
  }
}
