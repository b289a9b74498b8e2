import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { ERRORS, EXIT, type GraftError, toGraftError } from '../shared/errors.ts'
import { conductRun, type RunRooms } from './conduct-run.ts'
import { createGate } from './coordinator/gate.ts'
import type { RunQueue } from './coordinator/operations-context.ts'
import type { RunPlan } from './coordinator/run-plan.ts'
import { createWorkbench } from './coordinator/workbench.ts'
import type { Planner } from './open-plan.ts'
import { createRunDisplay } from './report/progress.ts'
import type { RunRecord } from './store/store.ts'

/** The queue of a coordinator that stays; its runs are in the store, so that a killed one goes on. */
export interface StoredQueue extends RunQueue {
  /** Resolves when a run may have been stored since the last call. @throws the reason of `signal` */
  readonly awaken: (signal: AbortSignal) => Promise<void>
}

/** What runs are made from. */
export interface RunSources {
  readonly planner: Planner
  /** Says what a run will take, and returns why this machine cannot have it; null: it can. */
  readonly judge: (plan: RunPlan, say: (line: string) => void) => Promise<GraftError | null>
}

export function createRunQueue(
  { planner, judge }: RunSources,
  { blobs }: Pick<RunRooms, 'blobs'>,
): StoredQueue {
  const gate = createGate(true)
  return {
    async check(settings) {
      const plan = await planner.plan(settings)
      // Whether its strategy can fuse its network is known when it is built.
      createWorkbench(plan, blobs).dispose()
      const misfit = await judge(plan, () => undefined)
      if (misfit !== null) throw misfit
    },
    wake() {
      gate.open()
    },
    async awaken(signal) {
      await gate.passed(signal)
      gate.close()
    },
  }
}

/**
 * Conducts one run after the other until the process is told to end: first the one that a killed coordinator left, then
 * those that wait.
 *
 * @param home each run has a folder of its own under `runs/` there
 * @throws the reason of the signal; GraftError what this machine lacks, as for a single run
 */
export async function serveRuns(
  rooms: RunRooms,
  queue: StoredQueue,
  sources: RunSources & { readonly home: string },
): Promise<never> {
  const { store, desk, signal } = rooms
  for (;;) {
    const run = (await store.unfinishedRun()) ?? (await store.queuedRun())
    if (run === null) {
      desk.close()
      await queue.awaken(signal)
      continue
    }
    desk.expectRun()
    await serveRun(rooms, run, sources)
  }
}

async function serveRun(
  rooms: RunRooms,
  queued: RunRecord,
  { planner, judge, home }: RunSources & { readonly home: string },
): Promise<void> {
  const { screen, signal } = rooms
  const display = createRunDisplay(screen)
  let plan: RunPlan
  try {
    plan = await planner.plan(queued.settings)
    // One that has begun goes on as far as it comes.
    const misfit =
      queued.status === 'queued' ? await judge(plan, (line) => display.message(line)) : null
    if (misfit !== null) throw misfit
  } catch (error) {
    signal.throwIfAborted()
    await fail(rooms, queued, toGraftError(error))
    return
  }
  const run = await claim(rooms, queued)
  if (run === null) return
  display.message(`Run ${run.number}: ${run.settings.model} on ${run.settings.dataset}.`)
  const folder = join(home, 'runs', String(run.number))
  await mkdir(folder, { recursive: true })
  try {
    await conductRun(rooms, { plan, run, display, folder })
    display.message(`Run ${run.number} is over.`)
  } catch (error) {
    signal.throwIfAborted()
    const failure = toGraftError(error)
    // Of this machine, not of the run: when it is mended, the run goes on.
    if (ERRORS[failure.code].exit === EXIT.environment) throw failure
    await fail(rooms, run, failure)
  }
}

/** A run that begins now, or goes on; null when an operator has taken it back meanwhile. */
async function claim({ store, helm }: RunRooms, queued: RunRecord): Promise<RunRecord | null> {
  return helm.exclusively(async () => {
    const run = (await store.listRuns()).find(({ id }) => id === queued.id)
    if (run?.status !== 'queued') return run?.status === 'stopped' ? null : queued
    await store.setRunStatus(run.id, 'running')
    return { ...run, status: 'running' }
  })
}

/** The run is over for this reason; the coordinator stays. */
async function fail(
  { store, board, clients, screen }: RunRooms,
  { id, number }: RunRecord,
  failure: GraftError,
): Promise<void> {
  const { code, problem } = failure
  await store.audit({
    actor: 'coordinator',
    action: 'run:failed',
    details: { run: id, code, problem },
  })
  await store.failRun(id, { code, problem })
  clients.finished({ run: id, rounds: 0 })
  board.changed('runs')
  screen.write(`Run ${number} has failed: ${failure.message}\n`)
}
