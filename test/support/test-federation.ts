import { join } from 'node:path'
import { connect, type News } from '../../client/node/connection.ts'
import { createMailbox } from '../../client/node/mailbox.ts'
import { runNode } from '../../client/node/node.ts'
import type { NodeEvent } from '../../client/node/progress.ts'
import { shardData } from '../../client/node/shard-data.ts'
import { pushUpdate } from '../../client/node/transfer.ts'
import { createOperations } from '../../server/coordinator/create-operations.ts'
import { runFederation } from '../../server/coordinator/coordinator.ts'
import { createHelm } from '../../server/coordinator/helm.ts'
import { createBoard } from '../../server/coordinator/live/board.ts'
import { planRun } from '../../server/coordinator/run-plan.ts'
import { createWorkbench } from '../../server/coordinator/workbench.ts'
import type { Gateway } from '../../server/gateway/gateway.ts'
import { startGateway } from '../../server/gateway/start-gateway.ts'
import { composeDisplays } from '../../server/report/compose-displays.ts'
import type { RunDisplay } from '../../server/report/progress.ts'
import { openBlobs } from '../../server/store/blobs.ts'
import { openQuarantineFolder } from '../../server/store/quarantine-folder.ts'
import { openStore } from '../../server/store/open-store.ts'
import type { Dataset } from '../../shared/data/example-set.ts'
import { ClientId } from '../../shared/ids.ts'
import { Done, RunJoined } from '../../shared/protocol/messages.ts'
import type { RoundReport } from '../../shared/protocol/run-report.ts'
import type { RunSettings } from '../../shared/protocol/run-settings.ts'
import { TOY_DATASET, TOY_SETTINGS, type toyUpdate } from './toy-run.ts'

export const JOIN_TOKEN = 'a-join-token-for-this-test'

interface Options {
  /** Where everything is kept; a stopped coordinator is started again on the same folder. */
  readonly home: string
  readonly settings?: Partial<RunSettings>
  /** @default TOY_DATASET */
  readonly dataset?: Dataset
  /** Newest rounds whose updates stay on disk. @default all */
  readonly keepUpdates?: number
  /** Called between two rounds; the next one begins when it resolves. */
  readonly onRound?: (report: RoundReport) => Promise<void>
}

/** A real coordinator on a toy data set in this process, with real clients on request. */
export async function startFederation(options: Options) {
  const { home, settings: changes, dataset = TOY_DATASET, onRound } = options
  const settings = { ...TOY_SETTINGS, ...changes }
  const stop = new AbortController()
  const store = await openStore({ databaseUrl: undefined, folder: home })
  await ensureToken(store)
  const blobs = await openBlobs(join(home, 'blobs'))
  const givenUp = new AbortController()
  const ended = AbortSignal.any([stop.signal, givenUp.signal])
  const workbench = createWorkbench(planRun(settings, dataset, null), blobs, ended)
  const helm = createHelm()
  const phases = createLog()
  const clients: { close(): void }[] = []

  let tellUrl!: (url: string) => void
  const listening = new Promise<string>((resolve) => (tellUrl = resolve))
  const board = createBoard({ engine: 'test', staysForRuns: false })
  let gateway: Gateway | undefined
  const quarantineFiles = openQuarantineFolder(join(home, 'quarantine'))
  const operations = createOperations({
    ...{ store, blobs, board, helm, quarantineFiles, queue: null },
    gateway: {
      connected: () => gateway?.connected() ?? [],
      disconnect: (client, reason) => gateway?.disconnect(client, reason),
    },
  })
  const told: RoundReport[] = []
  const reports = runFederation({
    settings,
    store,
    blobs,
    workbench,
    display: composeDisplays(displayOn(phases), board.display),
    board,
    helm,
    stop: givenUp,
    quarantineFiles,
    ...(options.keepUpdates !== undefined && { keepUpdates: options.keepUpdates }),
    signal: stop.signal,
    async listen(_run, handlers) {
      const place = { host: '127.0.0.1', port: 0, uploadFolder: join(home, 'uploads') }
      const listening = await startGateway(handlers, place)
      gateway = listening
      board.watchConnections(() => listening.connected())
      tellUrl(listening.url)
      return listening
    },
    async onRound(report) {
      told.push(report)
      await onRound?.(report)
    },
  }).then(() => told)
  reports.catch(() => undefined) // whoever expects it to fail awaits it
  const url = await Promise.race([listening, reports.then(() => '')]).catch(
    async (error: unknown) => {
      workbench.dispose()
      await store.close()
      throw error
    },
  )

  return {
    url,
    store,
    settings,
    operations,
    reports,
    /** Resolves when the coordinator's display has shown the line, e.g. `round 1: fusing`. */
    shown: phases.has,
    signal: stop.signal,
    /** Ends the coordinator as Ctrl-C does. */
    stop: (reason: Error) => stop.abort(reason),
    /** A client as `graft client --shard` runs it. */
    node(index: number, how: { onEvent?: (event: NodeEvent) => void; signal?: AbortSignal } = {}) {
      const shard = { index, count: settings.clients }
      return runNode({
        servers: [url],
        token: JOIN_TOKEN,
        name: ClientId.parse(`client-${index}`),
        engineName: 'test',
        retrySeconds: 20,
        dataFor: (of) => shardData(shard, of, { load: async () => dataset }),
        ...(how.onEvent && { onProgress: how.onEvent }),
        ...(how.signal && { signal: how.signal }),
      })
    },
    /** A client that speaks the protocol and sends what it is told to; joined and ready. */
    async puppet(name: string, token = JOIN_TOKEN) {
      const puppet = createPuppet(url, { name, token })
      clients.push(puppet)
      await puppet.join()
      return puppet
    },
    async [Symbol.asyncDispose]() {
      stop.abort(new Error('the test is over'))
      await reports.catch(() => undefined)
      for (const client of clients) client.close()
      workbench.dispose()
      await store.close()
    },
  }
}

function createPuppet(server: string, { name, token }: { name: string; token: string }) {
  const news = createMailbox<News>()
  const connection = connect({
    servers: [server],
    auth: { token, name: ClientId.parse(name), version: '0', engine: 'test' },
    retrySeconds: 20,
    onNews(message) {
      if (message.type === 'round:published') report(message.round)
      news.put(message)
    },
  })
  /** The coordinator waits for what its clients think of a model: this one thinks nothing of it. */
  function report(round: number): void {
    const evaluation = { round, accuracy: 0, loss: 1, numExamples: 1 }
    connection.request('evaluation:report', evaluation, Done).catch(() => undefined)
  }
  return {
    connection,
    close: connection.close,
    async join() {
      const joined = await connection.request('run:join', {}, RunJoined)
      await connection.request('client:ready', { numExamples: 10, classCounts: [4, 3, 2, 1] }, Done)
      return joined
    },
    /** The next news of this kind; what came before it is skipped. */
    async hears<Type extends News['type']>(type: Type): Promise<Extract<News, { type: Type }>> {
      for (;;) {
        const message = await news.take(connection.over)
        if (message.type === type) return message as Extract<News, { type: Type }>
      }
    },
    /** The next news that is not of this kind. */
    async next(skipped: News['type']): Promise<News> {
      for (;;) {
        const message = await news.take(connection.over)
        if (message.type !== skipped) return message
      }
    },
    send({ round, bytes, numExamples, classCounts }: ReturnType<typeof toyUpdate>) {
      const seconds = { train: 1, attribute: 1, upload: 1 }
      const commit = () => ({
        numExamples,
        classCounts: classCounts as [number, ...number[]],
        seconds,
      })
      return pushUpdate(connection, { round, bytes, commit })
    },
  }
}

async function ensureToken(store: Awaited<ReturnType<typeof openStore>>): Promise<void> {
  if ((await store.findToken(JOIN_TOKEN)) !== null) return
  const token = { secret: JOIN_TOKEN, kind: 'join', clientId: null } as const
  await store.createToken({ ...token, label: 'test', expiresAt: null })
}

/** Lines that can be waited for. */
function createLog() {
  const lines = new Set<string>()
  const waiting = new Map<string, () => void>()
  return {
    add(line: string) {
      lines.add(line)
      waiting.get(line)?.()
    },
    async has(line: string): Promise<void> {
      if (!lines.has(line)) await new Promise<void>((resolve) => waiting.set(line, resolve))
    },
  }
}

function displayOn(log: ReturnType<typeof createLog>): RunDisplay {
  return {
    phase: (round, phase, detail) =>
      log.add(`round ${round}: ${phase}${detail === undefined ? '' : `, ${detail}`}`),
    clientState: (client, { state }) => log.add(`${client}: ${state}`),
    upload: () => undefined,
    message: log.add,
    finish: () => undefined,
  }
}
