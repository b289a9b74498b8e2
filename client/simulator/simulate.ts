import { join } from 'node:path'
import { ChildFailed } from '../../shared/command/run-program.ts'
import { EXIT, GraftError } from '../../shared/errors.ts'
import type { ClientId } from '../../shared/ids.ts'
import { CoordinatorListening, WorkerMessage } from '../../shared/protocol/process-messages.ts'
import type { SimulationReport } from '../../shared/protocol/simulation-report.ts'
import {
  type Exit,
  type GraftProcess,
  type Screen,
  startGraft,
} from '../../shared/command/graft-process.ts'
import { shardName } from '../../shared/data/shard.ts'
import { openEventLog } from './event-log.ts'
import { simulationToken } from './simulation-token.ts'

export interface Simulation {
  /** Words of the coordinator's command line: the run's settings, the folder, the report. */
  readonly coordinatorWords: readonly string[]
  /** Clients of the cohort; client i trains on part i of the partition. */
  readonly clients: number
  /** Processes that the clients are spread over. */
  readonly workers: number
  readonly engine: string
  /** Words that say where data of the user's own are; none for a data set by name. */
  readonly dataWords: readonly string[]
  /** The coordinator's folder; what happened to clients is noted there, too. */
  readonly home: string
  /** File with what goes wrong, and the seed of a plan that has none; null in a healthy federation. */
  readonly faults: { readonly file: string; readonly seed: number } | null
  /** Folder of updates that runs with the same training share; null: none. */
  readonly updateFolder: string | null
  /** Told what happens to clients, a line each. */
  readonly say: (line: string) => void
  /** Where the coordinator shows the run. @default 'stdout' */
  readonly screen?: Screen
  readonly signal: AbortSignal
}

/**
 * A whole federation on this machine: one coordinator process and worker processes with real clients,
 * joined over real sockets. Its parts are the ones that run on separate machines.
 *
 * None of them outlives it: they are stopped at its end, and stop by themselves when it is killed.
 *
 * @returns what only the simulation knows of the run
 * @throws ChildFailed with the status of the process that failed first, which has said why
 * @throws GraftError GRAFT_RUN_FAILED when one was killed from outside, and could not say so
 */
export async function simulate(simulation: Simulation): Promise<SimulationReport> {
  const token = await simulationToken()
  const events = await openEventLog(
    join(simulation.home, 'events.jsonl'),
    simulation.coordinatorWords.join(' '),
  )
  let peakRssMb = 0
  const onMessage = (message: unknown) => {
    const told = WorkerMessage.parse(message)
    if (told.type === 'ended') {
      peakRssMb += told.peakRssMb
      return
    }
    events.add(told)
    if (told.type !== 'fault') return
    simulation.say(`${told.client}, round ${told.round}: ${told.fault}: ${told.detail}`)
  }
  // A signal that came before anybody listened would stop nothing.
  simulation.signal.throwIfAborted()
  const coordinator = startGraft(['coordinator', '--port', '0', ...simulation.coordinatorWords], {
    env: { GRAFT_JOIN_TOKEN: token },
    screen: simulation.screen ?? 'stdout',
  })
  const workers: GraftProcess[] = []
  const stopAll = () => {
    for (const { kill } of [...workers, coordinator]) kill()
  }
  simulation.signal.addEventListener('abort', stopAll, { once: true })
  try {
    const message = await coordinator.firstMessage
    if (message === undefined) throw failure('coordinator', await coordinator.exited)
    const { url } = CoordinatorListening.parse(message)
    workers.push(...startWorkers(simulation, { url, token, gone: events.gone(), onMessage }))
    // A worker that fails takes its clients with it: the run could only wait for its deadline.
    await Promise.race([success('coordinator', coordinator), firstFailure(workers)])
    await Promise.all(workers.map((worker) => success('worker', worker)))
  } finally {
    stopAll()
    await Promise.all([...workers, coordinator].map(({ exited }) => exited))
    simulation.signal.removeEventListener('abort', stopAll)
    simulation.signal.throwIfAborted()
  }
  peakRssMb += process.resourceUsage().maxRSS / 1024
  return { workers: workers.length, peakRssMb: Math.round(peakRssMb), ...events.report() }
}

interface WorkerStart {
  readonly url: string
  readonly token: string
  /** Clients that left this run for good before it was ended and started again. */
  readonly gone: ReadonlySet<ClientId>
  readonly onMessage: (message: unknown) => void
}

function startWorkers(
  { clients, workers, engine, dataWords, faults, updateFolder }: Simulation,
  { url, token, gone, onMessage }: WorkerStart,
): GraftProcess[] {
  const here = Array.from({ length: clients }, (_, index) => index).filter(
    (index) => !gone.has(shardName({ index, count: clients })),
  )
  return Array.from({ length: Math.min(workers, here.length) }, (_, worker) => {
    const shards = here.filter((_, place) => place % workers === worker)
    const words = [
      '--server',
      url,
      '--shards',
      shards.join(','),
      '--engine',
      engine,
      ...dataWords,
      ...(faults === null ? [] : ['--faults', faults.file, '--seed', String(faults.seed)]),
      ...(updateFolder === null ? [] : ['--updates', updateFolder]),
    ]
    return startGraft(['simulate-worker', '--clients', String(clients), ...words], {
      env: { GRAFT_TOKEN: token },
      screen: 'none',
      onMessage,
    })
  })
}

/** Rejects with the first failure; a worker that ends well settles nothing. */
function firstFailure(workers: readonly GraftProcess[]): Promise<never> {
  return new Promise((_, reject) => {
    for (const worker of workers) success('worker', worker).catch(reject)
  })
}

async function success(role: string, { exited }: GraftProcess): Promise<void> {
  const exit = await exited
  if (exit.status !== EXIT.ok) throw failure(role, exit)
}

function failure(role: string, { status, signal }: Exit): Error {
  if (signal === null) return new ChildFailed(status)
  const problem = `A ${role} process was ended by ${signal}, as when memory runs out.`
  return new GraftError('GRAFT_RUN_FAILED', problem)
}
