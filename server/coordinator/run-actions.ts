import { randomUUID } from 'node:crypto'
import { GraftError } from '../../shared/errors.ts'
import { BlobId, RoundNumber, RunId } from '../../shared/ids.ts'
import type { RunSettings } from '../../shared/protocol/run-settings.ts'
import type { RunRecord } from '../store/store.ts'
import { act, actionRefused } from './act.ts'
import type { Actor, Operations } from './operations.ts'
import type { OperationsContext } from './operations-context.ts'
import { startRound } from './round-state.ts'
import type { Helm, SteeredRun } from './session.ts'

type RunActions = Pick<
  Operations,
  'createRun' | 'pause' | 'resume' | 'endRound' | 'stop' | 'retry' | 'chooseModel'
>

/** What operators do to runs. */
export function createRunActions({ store, board, helm, queue }: OperationsContext): RunActions {
  async function recordOf(run: RunId): Promise<RunRecord> {
    const record = (await store.listRuns()).find(({ id }) => id === run)
    if (record === undefined) throw actionRefused(`There is no run ${run}.`)
    return record
  }

  /** The run that goes on, if it is this one. */
  async function steered(run: RunId): Promise<SteeredRun> {
    const found = steeredAs(helm, run)
    if (found !== null) return found
    const { status } = await recordOf(run)
    const isOpening = status === 'running' || status === 'paused'
    throw actionRefused(
      isOpening
        ? `Run ${run} is being opened or is about to end: ask again in a moment.`
        : `Run ${run} is ${status}: this takes one that goes on.`,
    )
  }

  async function enqueue(settings: RunSettings): Promise<RunId> {
    const run = RunId.parse(randomUUID())
    await store.queueRun(run, settings)
    board.changed('runs')
    queue?.wake()
    return run
  }

  async function takeBack(run: RunId): Promise<void> {
    const { status } = await recordOf(run)
    if (status !== 'queued') {
      throw actionRefused(`Run ${run} is ${status} since a moment ago: ask again.`)
    }
    await store.setRunStatus(run, 'stopped')
  }

  async function checkSettings(settings: RunSettings): Promise<void> {
    if (queue === null) {
      throw actionRefused(
        'This coordinator ends with its run: start it with --stay to take others.',
      )
    }
    await queue.check(settings)
  }

  return {
    createRun: (settings, by) =>
      act(store, by, {
        ...{ name: 'run:created', details: { settings: brief(settings) } },
        check: () => checkSettings(settings),
        perform: () => enqueue(settings),
      }),

    retry: (run, by) =>
      act(store, by, {
        ...{ name: 'run:retried', details: { run } },
        async check() {
          const { settings, status } = await recordOf(run)
          if (status === 'queued' || status === 'running' || status === 'paused') {
            throw actionRefused(`Run ${run} is ${status}: this takes one that is over.`)
          }
          const [newest] = await store.lists.models({ run, limit: 1 })
          const again = { ...settings, initialModel: newest?.blob ?? settings.initialModel }
          await checkSettings(again)
          return again
        },
        perform: enqueue,
      }),

    pause: (run, by) =>
      act(store, by, {
        ...{ name: 'run:paused', details: { run } },
        async check() {
          const { session } = await steered(run)
          if (session.gate.isClosed) throw actionRefused(`Run ${run} is paused already.`)
          if (session.nextRound > session.run.settings.rounds) {
            throw actionRefused(`The last round of run ${run} goes on: there is none to hold back.`)
          }
          return session
        },
        async perform({ gate }) {
          await store.setRunStatus(run, 'paused')
          gate.close()
          board.paused(true)
        },
      }),

    resume: (run, by) =>
      act(store, by, {
        ...{ name: 'run:resumed', details: { run } },
        async check() {
          const { session } = await steered(run)
          if (!session.gate.isClosed) throw actionRefused(`Run ${run} is not paused.`)
          return session
        },
        async perform({ gate }) {
          await store.setRunStatus(run, 'running')
          gate.open()
          board.paused(false)
        },
      }),

    endRound: (run, by) =>
      act(store, by, {
        ...{ name: 'round:ended', details: { run } },
        check: async () => roundToEnd(await steered(run)),
        async perform(round) {
          await round.dispatch({ type: 'round-ended', round: round.state.round, by })
        },
      }),

    stop: (run, by) =>
      act(store, by, {
        ...{ name: 'run:stopped', details: { run } },
        async check() {
          const { status } = await recordOf(run)
          return status === 'queued' ? null : await steered(run)
        },
        async perform(found) {
          if (found === null) await helm.exclusively(() => takeBack(run))
          else {
            await store.setRunStatus(run, 'stopped')
            found.session.stop.abort(new RunStopped(run, by))
          }
          board.changed('runs')
        },
      }),

    chooseModel: (run, model, by) =>
      act(store, by, {
        ...{ name: 'model:chosen', details: { run, model } },
        check: () => steered(run),
        perform: ({ session }) =>
          helm.exclusively(async () => {
            const { nextRound, models, chosen } = session
            if (!models.has(model)) {
              throw new GraftError('GRAFT_BLOB_UNKNOWN', `${model} is no model of run ${run}.`)
            }
            if (nextRound > session.run.settings.rounds) {
              throw actionRefused(`No round of run ${run} is left to start from it.`)
            }
            const round = RoundNumber.parse(nextRound)
            const event = { type: 'model-chosen', round, model: BlobId.parse(model), by } as const
            const seq = await store.appendEvent(run, event)
            chosen.set(nextRound, model)
            board.appended(session.run, seq, event, startRound(round))
            board.globalModel(model)
          }),
      }),
  }
}

/** Why a run ends before its last round. */
class RunStopped extends Error {
  override readonly name = 'RunStopped'

  constructor(run: RunId, by: Actor) {
    super(`${by} has stopped run ${run}.`)
  }
}

function steeredAs({ steered }: Helm, run: RunId): SteeredRun | null {
  return steered?.session.run.id === run ? steered : null
}

/** The round that waits for clients, or for enough of them. */
function roundToEnd({ session }: SteeredRun) {
  const { round, run } = session
  const { quorum } = run.settings
  if (round?.state.phase === 'collecting') return round
  if (round?.state.phase !== 'recruiting') {
    const phase = round === null ? 'none has begun' : `its round is ${round.state.phase}`
    throw actionRefused(
      `Nobody waits for clients of run ${run.id}, ${phase}: this takes a round that recruits or collects.`,
    )
  }
  const { length } = round.state.ready
  if (length >= quorum) return round
  throw actionRefused(
    `${length} clients are ready and the quorum is ${quorum}: wait for more, or stop the run.`,
  )
}

/** A topology is as long as a book, and the run has it. */
function brief({ topology, ...settings }: RunSettings) {
  return {
    ...settings,
    ...(topology !== undefined && { topology: `${topology.length} characters` }),
  }
}
