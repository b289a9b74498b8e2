import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { EngineChoice } from '../../shared/engine/engine.ts'
import { createRng, type Rng } from '../../shared/numeric/rng.ts'
import { createCleanup } from '../chaos/cleanup.ts'
import { type ClientProcess, startClientProcess } from '../chaos/client-processes.ts'
import { drawPlan } from '../chaos/plan.ts'
import { dataTable } from '../chaos/setting.ts'
import { startTroubledLink, type TroubledLink } from '../chaos/troubled-link.ts'
import { createTestDatabase } from '../support/database.ts'
import { createTemporaryFolder } from '../support/temporary-folder.ts'
import { startWatchedCoordinator } from '../support/watched-coordinator.ts'
import { findLostUpdates } from './lost-updates.ts'
import type { Finding, SoakSample } from './verdict.ts'

const TOKEN = 'a-join-token-for-a-soak'
const MODEL = 'mlp:6-256-256-4'
const COHORT = 3
/** One more than a cohort: a round need not wait for who is away. */
const CLIENTS = 4
/** Of clients that send a spoilt update first. */
const SPOILT = 0.05
/** Faults of a link come again and again; a plan is drawn for as many bytes as an update has. */
const UPDATE_BYTES = 280_000

export interface SoakOptions {
  readonly minutes: number
  readonly seed: number
  readonly engine: EngineChoice
  /** Whether the coordinator works on a PostgreSQL server, not on the embedded database. */
  readonly usesPostgres: boolean
  /** Told of each sample. */
  readonly onSample: (sample: SoakSample) => void
  readonly signal: AbortSignal
}

export interface SoakResult {
  readonly samples: readonly SoakSample[]
  readonly findings: readonly Finding[]
  readonly killedProcesses: number
  readonly droppedClients: number
  readonly links: TroubledLink['counts']
}

/**
 * One coordinator process that nobody kills, for as long as asked, while its clients die and come back, links break and
 * slow down, and some updates are spoilt.
 */
export async function soak(options: SoakOptions): Promise<SoakResult> {
  const { minutes, seed, engine, signal } = options
  const begun = performance.now()
  await using cleanup = createCleanup()
  const folder = cleanup.use(await createTemporaryFolder())
  const database = options.usesPostgres ? cleanup.use(await createTestDatabase()) : null
  const [data, records] = [join(folder.path, 'data.csv'), join(folder.path, 'records')]
  await mkdir(records)
  await writeFile(data, dataTable(seed))
  const coordinator = cleanup.use(
    await startWatchedCoordinator(
      [
        ...['--home', join(folder.path, 'home'), '--data', data, '--model', MODEL],
        ...['--clients', String(COHORT), '--rounds', '100000', '--strategy', 'nt'],
        ...['--proxy', '80', '--local-epochs', '1', '--tune-epochs', '2', '--publish', 'always'],
        ...['--controls', 'last', '--deadline', '60', '--quorum', '2', '--seed', String(seed)],
        // More rounds than are ever made, and than the disk could hold.
        ...['--ignore-preflight', '--engine', engine, '--join-token', TOKEN],
      ],
      database === null ? {} : { DATABASE_URL: database.url },
    ),
  )
  const failures: string[] = []
  const links: TroubledLink[] = []
  const clients: ClientProcess[] = []
  const plan = drawPlan(`soak/${seed}`, {
    ...{ clients: CLIENTS, rounds: 1, coordinatorKills: 0, clientKills: 0 },
    updateBytes: UPDATE_BYTES,
  })
  for (let client = 0; client < CLIENTS; client++) {
    const link = await startTroubledLink(coordinator.url, plan.links[client] ?? [], () => undefined)
    links.push(cleanup.use(link))
    const place = { name: `client-${client}`, shard: client % COHORT, servers: [link.url] }
    const started = startClientProcess(
      {
        ...{ clients: [place], shards: COHORT, data, engine, token: TOKEN, records },
        ...{ seed: `soak/${seed}`, spoilt: SPOILT },
      },
      (news) => {
        if (news.type === 'failed') failures.push(`${news.client} ended: ${news.problem}`)
      },
    )
    clients.push(cleanup.use(started))
  }

  const over = new AbortController()
  const either = AbortSignal.any([signal, over.signal])
  const struck = { killed: 0, dropped: 0 }
  const trouble = strike(clients, createRng(`soak/${seed}/clients`), struck, either)
  const samples: SoakSample[] = []
  try {
    // Twenty samples or more, so that a fifth of them has a median.
    const everyMs = Math.min(10_000, (minutes * 60_000) / 25)
    while (performance.now() - begun < minutes * 60_000 && !coordinator.hasEnded()) {
      await delay(everyMs, undefined, { signal })
      const sample = {
        ...(await coordinator.sample()),
        minutes: (performance.now() - begun) / 60_000,
        rounds: roundsIn(coordinator.output()),
      }
      samples.push(sample)
      options.onSample(sample)
    }
  } finally {
    over.abort()
    await trouble
  }
  // Clients first: what is under way when the coordinator ends is nobody's loss.
  for (const client of clients) await client[Symbol.asyncDispose]()
  coordinator.end()
  const status = await coordinator.ended
  const findings: Finding[] = [
    {
      invariant: 'the coordinator lives, says nothing on stderr, and ends when it is told to',
      isOk: status === 0 && coordinator.complaints() === '',
      detail: `exit status ${status}. ${coordinator.complaints().slice(0, 300)}`.trim(),
    },
    {
      invariant: 'no client ends by itself',
      isOk: failures.length === 0,
      detail: failures[0] ?? `${CLIENTS} clients went on`,
    },
    ...(database === null ? [] : [await findLostUpdates(records, database.query)]),
  ]
  return {
    ...{ samples, findings, killedProcesses: struck.killed, droppedClients: struck.dropped },
    links: {
      cuts: links.reduce((sum, { counts }) => sum + counts.cuts, 0),
      slowed: links.reduce((sum, { counts }) => sum + counts.slowed, 0),
    },
  }
}

/** Kills a client's process, or lets it drop its connection, every few seconds. */
async function strike(
  clients: readonly ClientProcess[],
  rng: Rng,
  struck: { killed: number; dropped: number },
  signal: AbortSignal,
): Promise<void> {
  try {
    for (;;) {
      await delay(3000 + 5000 * rng.next(), undefined, { signal })
      const index = Math.floor(rng.next() * clients.length)
      const client = clients[index]!
      if (rng.next() < 0.25) {
        client.kill()
        struck.killed++
      } else {
        client.drop(`client-${index}`)
        struck.dropped++
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

/** The newest that it said to be published. */
function roundsIn(output: string): number {
  const found = [...output.matchAll(/^Model of round (\d+): /gm)].at(-1)
  return found === undefined ? 0 : Number(found[1])
}
