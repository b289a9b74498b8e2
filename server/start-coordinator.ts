import { existsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { Interrupted } from '../shared/command/run-program.ts'
import { loadDataset } from '../shared/data/datasets.ts'
import { describeOwnData } from '../shared/data/own/own-data.ts'
import { splitDataset } from '../shared/data/split.ts'
import { type Engine, startEngine } from '../shared/engine/engine.ts'
import { GraftError, toGraftError } from '../shared/errors.ts'
import { type Log, openLog, screenBeside } from '../shared/log/log.ts'
import { openNetwork } from '../shared/model/open-network.ts'
import type { CoordinatorListening } from '../shared/protocol/process-messages.ts'
import { conductRun } from './conduct-run.ts'
import { planRun, type RunPlan } from './coordinator/run-plan.ts'
import { assertMayListen } from './gateway/assert-may-listen.ts'
import { closeSockets, createSocketServer } from './gateway/socket-server.ts'
import { createHttpHost } from './listen.ts'
import type { CoordinatorOptions } from './process/coordinator-options.ts'
import { isSimulated } from './process/is-simulated.ts'
import { judgeRun } from './process/judge-run.ts'
import { type Federation, openFederation } from './process/open-federation.ts'
import { openStorage, type Storage } from './process/open-storage.ts'
import { takeLead } from './process/take-lead.ts'
import { startingWeights } from './read-model-file.ts'
import { createRunDisplay } from './report/progress.ts'
import { giveReport } from './report/report-file.ts'
import { serveRuns } from './serve-runs.ts'
import type { FolderLock } from './store/folder-lock.ts'
import { ensureJoinToken } from './store/join-token.ts'
import { lockHome } from './store/lock-home.ts'
import { openStore } from './store/open-store.ts'
import type { Bucket } from './store/s3/bucket.ts'
import { loadBucket } from './store/s3/load-bucket.ts'
import { firstSignInSecret, LINK_MINUTES, toSignInLink } from './store/sign-in-link.ts'
import type { Leadership } from './store/store.ts'
import { keepCertificates } from './tls/keep-certificates.ts'
import { readTlsContext, type TlsContext } from './tls/tls-context.ts'

/** Times, a second between them, that the coordinator of a simulation asks for its folder. */
const LOCK_ATTEMPTS = 30

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
  const planned = staysForRuns && !isOnlyForecast ? null : await planOnly(options)
  const misfit = planned?.misfit ?? null
  // Nothing is there yet that could have begun: better refused before anything is made.
  if (misfit !== null && (isOnlyForecast || isUntouched(options))) throw misfit
  if (isOnlyForecast) return
  // First of all: opening the blobs removes drafts, which another coordinator may be writing.
  const lock = await lockHomeSoon(home, signal)
  const log = openLog(options.log, 'coordinator')
  try {
    await serve(options, { engine, plan: planned?.plan ?? null, misfit, secure, log })
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

/** Whether no run can have begun: neither database nor folder are there. */
const isUntouched = ({ databaseUrl, home }: CoordinatorOptions): boolean =>
  databaseUrl === undefined && !existsSync(home)

/** The plan of the run that the options are for, and why it does not fit this machine, before anything is made. */
async function planOnly({ settings, ...options }: CoordinatorOptions): Promise<{
  readonly plan: RunPlan
  readonly misfit: GraftError | null
}> {
  const { ownData, signal, initial, layout } = options
  const dataset = ownData ?? (await loadDataset(settings.dataset, { signal }))
  const network = await openNetwork(settings, dataset.train)
  const weights = initial && (await startingWeights(initial, layout, network))
  const plan = planRun(settings, dataset, weights, network)
  const say = (line: string) => void screenOf(options).write(`${line}\n`)
  const isTimed = options.preflight === 'only'
  return { plan, misfit: await judgeRun(plan, options, { isOneOfMany: false, isTimed, say }) }
}

/** What was read and checked before anything is written. */
interface Prepared {
  readonly engine: Engine
  /** Of its only run; null: it stays for runs. */
  readonly plan: RunPlan | null
  /** Why that does not fit this machine. One that has begun goes on all the same, as far as it comes. */
  readonly misfit: GraftError | null
  readonly secure: TlsContext | null
  readonly log: Log
}

/** The coordinator's work, in a folder that it has alone. */
async function serve(
  options: CoordinatorOptions,
  { engine, plan, misfit, secure, log }: Prepared,
): Promise<void> {
  const { settings, home, keepUpdates } = options
  // A full disk, or a bucket that is gone, refuses every upload: better to end, and to go on when it is mended.
  const full = new AbortController()
  const plainStore = await openStore({ databaseUrl: options.databaseUrl, folder: home })
  const screen = screenOf(options)
  const display = createRunDisplay(screen)
  const say = (text: string) => {
    display.message(text)
  }
  const http = createHttpHost(options.listen, secure)
  const certificates = keepCertificates(http.server, secure, say)
  const sockets = createSocketServer(http.server)
  let bucket: Bucket | null = null
  let leadership: Leadership | null = null
  let storage: Storage | undefined
  let federation: Federation | undefined
  try {
    say(`Engine: ${engine.name} ${engine.version}. ${engine.reason}`)
    // A standby hears at its start, not in the middle of a round, that its bucket cannot be used.
    bucket = options.bucketPlace && (await loadBucket(options.bucketPlace))
    leadership = await takeLead(plainStore, options, { display, hasRun: plan !== null })
    if (leadership === null) return
    if (misfit !== null && (await plainStore.unfinishedRun()) === null) throw misfit
    log.info({ event: 'coordinator:leads', engine: engine.name, store: plainStore.description })
    const signal = AbortSignal.any([options.signal, full.signal, leadership.lost])
    storage = await openStorage(options, { store: plainStore, bucket, display, signal })
    const joinToken = await ensureJoinToken(storage.store, options.joinToken)
    if (options.ownData !== null) describeOwnData(options.ownData).forEach(say)
    options.modelNotes.forEach(say)
    say(`Store: ${plainStore.description}. Seed: ${settings.seed}.`)
    if (bucket !== null) say(`Blobs: ${bucket.description}.`)

    federation = await openFederation(options, {
      ...{ ...storage, plainStore, sockets, leadership, display, log, signal },
      engineName: engine.name,
      asksCertificate: secure?.asksClients === true,
      onEnding: (error) => full.abort(error),
    })
    const { api, runs, queue } = federation
    if (api !== null) http.answerWith(api.listener)
    const once = api === null ? null : await firstSignInSecret(plainStore)
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
    const rooms = { ...federation.rooms, engine, screen, signal, keepUpdates }
    if (plan === null) {
      rooms.desk.expectRun()
      await listen()
      say('Waiting for runs.')
      await serveRuns(rooms, queue, { ...runs, home })
      return
    }
    const report = await conductRun(rooms, { plan, display, folder: home, onOpen: listen })
    if (options.reportTarget !== undefined && report !== null) {
      await giveReport(report, options.reportTarget)
    }
  } finally {
    display.finish()
    // First of all: nothing is journalled any more, and a standby need not wait until clients have hung up.
    const released = leadership?.release()
    log.info({ event: 'coordinator:leaving' })
    await federation?.close()
    await closeSockets(sockets, http.server)
    certificates.close()
    // Counts of refusals are not worth an end that fails.
    await storage?.store.settle().catch(() => undefined)
    await released
    bucket?.close()
    await plainStore.close()
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

/** A report on stdout must be the only thing there, and so must a log. */
function screenOf(of: Pick<CoordinatorOptions, 'reportTarget' | 'log'>): NodeJS.WriteStream {
  return of.reportTarget === true ? process.stderr : screenBeside(of.log)
}

function tellParent(message: CoordinatorListening): void {
  if (process.connected) process.send?.(message)
}
