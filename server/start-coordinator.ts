import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { loadDataset } from '../shared/data/datasets.ts'
import { describeOwnData, type OwnDataset } from '../shared/data/own/own-data.ts'
import { splitDataset } from '../shared/data/split.ts'
import { type Engine, type EngineChoice, startEngine } from '../shared/engine/engine.ts'
import { type ErrorCode, GraftError, toGraftError } from '../shared/errors.ts'
import { type Log, type LogPlace, openLog, screenBeside } from '../shared/log/log.ts'
import { Interrupted } from '../shared/command/run-program.ts'
import type { Layout } from '../shared/model/layouts.ts'
import { openNetwork } from '../shared/model/open-network.ts'
import type { CoordinatorListening } from '../shared/protocol/process-messages.ts'
import type { RunSettings } from '../shared/protocol/run-settings.ts'
import { conductRun } from './conduct-run.ts'
import { findConsoleFolder } from './api/find-console.ts'
import type { RunForm } from './api/run-form.ts'
import { firstSignInSecret, LINK_MINUTES, toSignInLink } from './store/sign-in-link.ts'
import { type Api, startApi } from './api/start-api.ts'
import { createClientDesk } from './coordinator/client-desk.ts'
import { createOperations } from './coordinator/create-operations.ts'
import { createHelm } from './coordinator/helm.ts'
import { createBoard } from './coordinator/live/board.ts'
import { countNow } from './coordinator/live/count-now.ts'
import { newestEvent } from './coordinator/live/live-events.ts'
import { planRun, type RunPlan } from './coordinator/run-plan.ts'
import { assertMayListen } from './gateway/assert-may-listen.ts'
import { attachGateway } from './gateway/attach-gateway.ts'
import type { Gateway } from './gateway/gateway.ts'
import { closeSockets, createSocketServer } from './gateway/socket-server.ts'
import { createHttpHost } from './listen.ts'
import { createPlanner } from './open-plan.ts'
import { type ModelFile, startingWeights } from './read-model-file.ts'
import { preflight } from './preflight/preflight.ts'
import { createRunDisplay, type RunDisplay } from './report/progress.ts'
import { writeRunJson } from './report/run-json.ts'
import { createRunQueue, serveRuns } from './serve-runs.ts'
import { hasEndedMeanwhile, runsThatAreOver } from './stood-by.ts'
import { openBlobs } from './store/blobs.ts'
import { createInsist, type Patience } from './store/insist.ts'
import type { FolderLock } from './store/folder-lock.ts'
import { lockHome } from './store/lock-home.ts'
import { ensureJoinToken } from './store/join-token.ts'
import { openStore } from './store/open-store.ts'
import { createPatientStore } from './store/patient-store.ts'
import { createQuietAudit } from './store/quiet-audit.ts'
import { openBucketBlobs } from './store/s3/bucket-blobs.ts'
import type { Bucket, BucketPlace } from './store/s3/bucket.ts'
import { copiesFolder, loadBucket } from './store/s3/load-bucket.ts'
import type { Leadership, Store } from './store/store.ts'
import { keepCertificates } from './tls/keep-certificates.ts'
import { readTlsContext, type TlsContext, type TlsFiles } from './tls/tls-context.ts'

/** Times, a second between them, that the coordinator of a simulation asks for its folder. */
const LOCK_ATTEMPTS = 30

/** What makes all that a client sends fail. */
const ENDING: readonly ErrorCode[] = [
  'GRAFT_DISK_FULL',
  'GRAFT_BUCKET_UNAVAILABLE',
  'GRAFT_BUCKET_REFUSED',
]

export interface CoordinatorOptions {
  readonly settings: RunSettings
  /** The data that the settings announce; null: the data set that they name. */
  readonly ownData: OwnDataset | null
  /** Where round 1 starts; null: an untrained model. */
  readonly initial: ModelFile | null
  /** What was changed of a model of the user’s own, a sentence each. */
  readonly modelNotes: readonly string[]
  /** Of `initial`; what it says of itself when not given. */
  readonly layout: Layout | undefined
  readonly listen: {
    readonly host: string
    readonly port: number
    readonly insecure: boolean
    /** @default without TLS */
    readonly tls?: TlsFiles | null
  }
  readonly joinToken: string | undefined
  /** Folder for everything that is kept. */
  readonly home: string
  /** Folder that all coordinators of the database see; the home of this one when not given. */
  readonly shared: string | undefined
  readonly databaseUrl: string | undefined
  /** Bucket for blobs, which all coordinators of the database see; null: a folder. */
  readonly bucketPlace: BucketPlace | null
  /** Longest time that a PostgreSQL server or a bucket may be silent before the coordinator ends. */
  readonly databaseWaitSeconds: number
  /** Whether to wait for the end of another coordinator, and then to go on with its run. */
  readonly isStandby: boolean
  /** Seconds without a sign of life after which a standby takes the lead from a coordinator that hangs. */
  readonly leaseSeconds: number
  /** One that runs already, or which to start. */
  readonly engine: Engine | EngineChoice
  /** Where the report goes besides the folder; `true` is stdout, and then everything else is on stderr. */
  readonly reportTarget: string | true | undefined
  /** Whether it takes run after run from operators, and begins none by itself; the settings are theirs to start from. */
  readonly staysForRuns: boolean
  /** What operators may say of a new run, and what follows from it. */
  readonly runForm: RunForm
  /** What follows from a forecast of the run: nothing but its words, nothing at all, or a refusal of what cannot fit. */
  readonly preflight: 'only' | 'ignored' | 'obeyed'
  /** Processes full of clients beside this one. */
  readonly workers: number
  readonly log: LogPlace
  /** Newest rounds of a run whose updates stay on disk; Infinity: all. */
  readonly keepUpdates: number
  readonly signal: AbortSignal
}

/** One coordinator process, wired once: what it needs is opened here and closed here. */
export async function startCoordinator(options: CoordinatorOptions): Promise<void> {
  const { settings, home, staysForRuns, ownData, signal } = options
  const { host, insecure, tls = null } = options.listen
  assertMayListen(host, insecure || tls !== null)
  // Before anything takes long.
  const secure = tls && (await readTlsContext(tls))
  const engine =
    typeof options.engine === 'string' ? await startEngine(options.engine) : options.engine
  // A simulation deals them out all the same: better refused here than by its clients, when all has begun.
  if (ownData !== null && isSimulated()) splitDataset(ownData.train, settings)
  const isOnlyForecast = options.preflight === 'only'
  const plan = staysForRuns && !isOnlyForecast ? null : await planOnly(options)
  if (isOnlyForecast) return
  // First of all: opening the blobs removes drafts, which another coordinator may be writing.
  const lock = await lockHomeSoon(home, signal)
  const log = openLog(options.log, 'coordinator')
  try {
    await serve(options, { engine, plan, secure, log })
    log.info({ event: 'coordinator:ended' })
  } catch (error) {
    logEnd(log, error)
    if (!isAskedToEnd(error)) throw error
  } finally {
    await lock.release()
  }
}

/**
 * SIGTERM is how a service is ended, and this one has done so: no failure, or its keeper would start it again. Who has forked
 * it sees that it did not come to its own end.
 */
const isAskedToEnd = (error: unknown): boolean =>
  error instanceof Interrupted && error.message === 'SIGTERM' && !isSimulated()

/** Why it ends: asked to, or not. */
function logEnd(log: Log, error: unknown): void {
  if (error instanceof Interrupted) {
    log.info({ event: 'coordinator:ended', reason: error.message })
    return
  }
  const { code, problem } = toGraftError(error)
  log.error({ event: 'coordinator:failed', code, problem })
}

/** The plan of the run that the options are for, and whether it fits this machine, before anything is made. */
async function planOnly({ settings, ...options }: CoordinatorOptions): Promise<RunPlan> {
  const { ownData, signal, initial, layout, home, shared = home } = options
  const dataset = ownData ?? (await loadDataset(settings.dataset, { signal }))
  const network = await openNetwork(settings, dataset.train)
  const weights = initial && (await startingWeights(initial, layout, network))
  const plan = planRun(settings, dataset, weights, network)
  await preflight(plan, {
    ...{ home, shared, workers: options.workers, keptRounds: options.keepUpdates },
    numTrain: dataset.train.labels.length,
    isEmbedded: options.databaseUrl === undefined,
    isTimed: options.preflight === 'only',
    isIgnored: options.preflight !== 'obeyed',
    say: (line) => void screenOf(options).write(`${line}\n`),
  })
  return plan
}

/** What was read and checked before anything is written. */
interface Prepared {
  readonly engine: Engine
  /** Of its only run; null: it stays for runs. */
  readonly plan: RunPlan | null
  readonly secure: TlsContext | null
  readonly log: Log
}

/** The coordinator's work, in a folder that it has alone. */
async function serve(
  options: CoordinatorOptions,
  { engine, plan, secure, log }: Prepared,
): Promise<void> {
  const { settings, home, shared = home } = options
  // A full disk, or a bucket that is gone, refuses every upload: better to end, and to go on when it is mended.
  const full = new AbortController()
  const store = await openStore({ databaseUrl: options.databaseUrl, folder: home })
  const screen = screenOf(options)
  const display = createRunDisplay(screen)
  const say = (text: string) => {
    display.message(text)
  }
  let leadership: Leadership | undefined
  let bucket: Bucket | null = null
  const http = createHttpHost(options.listen, secure)
  const certificates = keepCertificates(http.server, secure, (text) => display.message(text))
  const sockets = createSocketServer(http.server)
  let gateway: Gateway | undefined
  let api: Api | undefined
  let settleAudit: (() => Promise<void>) | undefined
  try {
    say(`Engine: ${engine.name} ${engine.version}. ${engine.reason}`)
    // A standby hears at its start, not in the middle of a round, that its bucket cannot be used.
    bucket = options.bucketPlace && (await loadBucket(options.bucketPlace))
    const over = await runsThatAreOver(store)
    const led = await lead(store, display, options)
    leadership = led.leadership
    if (led.hasWaited && plan !== null && (await hasEndedMeanwhile(store, over))) {
      say('The run that it stood by for is over.')
      return
    }
    log.info({ event: 'coordinator:leads', engine: engine.name, store: store.description })
    const signal = AbortSignal.any([options.signal, full.signal, leadership.lost])
    const patienceWith = (server: string): Patience => ({
      seconds: options.databaseWaitSeconds,
      onSilence: ({ problem }) => say(`${problem} Waiting for it.`),
      onAnswer: () => say(`${server} answers again.`),
      signal,
    })
    const blobs =
      bucket === null
        ? await openBlobs(join(shared, 'blobs'))
        : await openBucketBlobs({
            ...{ bucket, copies: copiesFolder(home) },
            insist: createInsist('GRAFT_BUCKET_UNAVAILABLE', patienceWith('The bucket')),
          })
    const persistent = createPatientStore(store, {
      ...patienceWith('The database'),
      ...(options.databaseUrl === undefined && { seconds: 0 }),
    })
    const patient = createQuietAudit(persistent, {
      onFault: (error) => display.message(toGraftError(error).message),
    })
    settleAudit = patient.settle
    const joinToken = await ensureJoinToken(patient, options.joinToken)
    if (options.ownData !== null) for (const line of describeOwnData(options.ownData)) say(line)
    for (const note of options.modelNotes) say(note)
    say(`Store: ${store.description}. Seed: ${settings.seed}.`)
    if (bucket !== null) say(`Blobs: ${bucket.description}.`)

    const desk = createClientDesk(patient)
    const lastEvent = await newestEvent(patient)
    const board = createBoard({ engine: engine.name, staysForRuns: plan === null, lastEvent, log })
    const clients = (gateway = await attachGateway(sockets, desk.handlers, {
      uploadFolder: join(home, 'uploads'),
      asksCertificate: secure?.asksClients === true,
      onConnections: board.connectionsChanged,
      onRefused({ name = 'unnamed', address, error }) {
        const details = { reason: error.problem, address }
        // A refusal that the database does not take is told all the same.
        patient
          .audit({ actor: `client:${name}`, action: 'client:refused', details })
          .catch((failure: unknown) => display.message(toGraftError(failure).message))
      },
      log,
      onFault(error) {
        log.error({ event: 'coordinator:fault', code: error.code, problem: error.problem })
        if (ENDING.includes(error.code)) full.abort(error)
        else say(error.message)
      },
    }))
    board.watchConnections(() => clients.connected())
    const quarantineFolder = join(shared, 'quarantine')
    board.count(await countNow(patient, quarantineFolder))
    const planner = createPlanner({ ...options, blobs, signal })
    const queue = createRunQueue(planner, { blobs })
    const helm = createHelm()
    const operations = createOperations({
      ...{ store: patient, blobs, board, helm, quarantineFolder, gateway: clients },
      queue: plan === null ? queue : null,
    })
    const { lost } = leadership
    // A simulation has no operators.
    if (!isSimulated()) {
      api = await startApi(
        {
          ...{ store, blobs, operations, runForm: options.runForm },
          connected: () => clients.connected(),
          isLeading: () => !lost.aborted,
          isEnding: () => options.signal.aborted,
          consoleFolder: findConsoleFolder(),
          onFault: (error) => say(error.message),
          log,
        },
        sockets,
      )
      http.answerWith(api.listener)
    }

    const once = api === undefined ? null : await firstSignInSecret(store)
    const listen = async () => {
      const url = await http.listen()
      say(`Listening on ${url}.`)
      log.info({ event: 'coordinator:listening', url })
      certificates.describe()
      if (joinToken?.isNew) say(`Join token, shown once: ${joinToken.secret}`)
      if (once !== null) {
        say(
          `Sign in to the console within ${LINK_MINUTES} minutes, once: ${toSignInLink(url, once)}`,
        )
      }
      tellParent({ type: 'listening', url })
    }
    const rooms = {
      ...{ engine, store: patient, blobs, board, helm, desk, clients },
      ...{ quarantineFolder, screen, signal, keepUpdates: options.keepUpdates },
    }
    if (plan === null) {
      desk.expectRun()
      await listen()
      say('Waiting for runs.')
      await serveRuns(rooms, queue, { planner, home })
      return
    }
    const report = await conductRun(rooms, { plan, display, folder: home, onOpen: listen })
    if (options.reportTarget !== undefined && report !== null) {
      await writeRunJson(report, options.reportTarget)
    }
  } finally {
    display.finish()
    // First of all: nothing is journalled any more, and a standby need not wait until clients have hung up.
    const released = leadership?.release()
    log.info({ event: 'coordinator:leaving' })
    await api?.close()
    await gateway?.close()
    await closeSockets(sockets, http.server)
    certificates.close()
    // Counts of refusals are not worth an end that fails.
    await settleAudit?.().catch(() => undefined)
    await released
    bucket?.close()
    await store.close()
  }
}

async function lockHomeSoon(home: string, signal: AbortSignal): Promise<FolderLock> {
  // A simulation that was killed and started again may find the coordinator of before, which is about to end.
  const attempts = isSimulated() ? LOCK_ATTEMPTS : 1
  for (let attempt = 1; ; attempt++) {
    try {
      return await lockHome(home)
    } catch (error) {
      const isBusy = error instanceof GraftError && error.code === 'GRAFT_HOME_BUSY'
      if (!isBusy || attempt >= attempts) throw error
      await delay(1000, undefined, { signal })
    }
  }
}

async function lead(
  store: Store,
  display: RunDisplay,
  { isStandby, leaseSeconds, signal }: CoordinatorOptions,
): Promise<{ leadership: Leadership; hasWaited: boolean }> {
  const leaders: string[] = []
  const leading = store.lead({
    holder: `pid ${process.pid} on ${hostname()}`,
    isStandby,
    onWait(leader) {
      leaders.push(leader)
      display.message(`Standing by: ${lowerFirst(leader)} leads.`)
    },
    leaseSeconds,
    onBreak() {
      display.message(`It has given no sign of life for ${leaseSeconds} s: its lead was ended.`)
    },
    signal,
  })
  const leadership = await leading.catch((error: unknown) => {
    // A timer that is broken off says so, not why.
    signal.throwIfAborted()
    throw error
  })
  if (leaders.length > 0) display.message('It leads no longer. This coordinator leads now.')
  return { leadership, hasWaited: leaders.length > 0 }
}

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1)

/** Whether `graft simulate` has forked this process. */
const isSimulated = (): boolean => process.send !== undefined

/** A report on stdout must be the only thing there, and so must a log. */
function screenOf(of: Pick<CoordinatorOptions, 'reportTarget' | 'log'>): NodeJS.WriteStream {
  return of.reportTarget === true ? process.stderr : screenBeside(of.log)
}

function tellParent(message: CoordinatorListening): void {
  if (process.connected) process.send?.(message)
}
