import { randomBytes } from 'node:crypto'
import { ChildFailed, Interrupted } from '../../shared/command/run-program.ts'
import { EXIT } from '../../shared/errors.ts'
import { CoordinatorListening } from '../../shared/protocol/process-messages.ts'
import { type GraftProcess, startGraft } from './processes.ts'

export interface Simulation {
  /** Words of the coordinator's command line: the run's settings, the folder, the report. */
  readonly coordinatorWords: readonly string[]
  /** Clients of the cohort; client i trains on part i of the partition. */
  readonly clients: number
  /** Processes that the clients are spread over. */
  readonly workers: number
  readonly engine: string
  readonly signal: AbortSignal
}

/**
 * A whole federation on this machine: one coordinator process and worker processes with real clients,
 * joined over real sockets. Its parts are the ones that run on separate machines.
 *
 * @throws ChildFailed with the status of the process that failed first, which has said why
 */
export async function simulate(simulation: Simulation): Promise<void> {
  const token = randomBytes(24).toString('base64url')
  const coordinator = startGraft(['coordinator', '--port', '0', ...simulation.coordinatorWords], {
    env: { GRAFT_JOIN_TOKEN: token },
  })
  const workers: GraftProcess[] = []
  const stopAll = () => {
    for (const { kill } of [...workers, coordinator]) kill()
  }
  simulation.signal.addEventListener('abort', stopAll, { once: true })
  try {
    const message = await coordinator.firstMessage
    if (message === undefined) throw new ChildFailed(await coordinator.exited)
    const { url } = CoordinatorListening.parse(message)
    workers.push(...startWorkers(simulation, { url, token }))
    // A worker that fails takes its clients with it: the run could only wait for its deadline.
    const failed = Promise.race(workers.map(failure))
    const status = await Promise.race([coordinator.exited, failed])
    if (status !== EXIT.ok) throw new ChildFailed(status)
    await Promise.all(workers.map(({ exited }) => exited))
  } finally {
    stopAll()
    await Promise.all([...workers, coordinator].map(({ exited }) => exited))
    simulation.signal.removeEventListener('abort', stopAll)
    if (simulation.signal.aborted) throw new Interrupted('simulation')
  }
}

function startWorkers(
  { clients, workers, engine }: Simulation,
  coordinator: { url: string; token: string },
): GraftProcess[] {
  return Array.from({ length: Math.min(workers, clients) }, (_, worker) => {
    const shards = Array.from({ length: clients }, (_, client) => client).filter(
      (client) => client % workers === worker,
    )
    const words = ['--server', coordinator.url, '--shards', shards.join(','), '--engine', engine]
    return startGraft(['simulate-worker', '--clients', String(clients), ...words], {
      env: { GRAFT_TOKEN: coordinator.token },
      quiet: true,
    })
  })
}

/** Settles only when the process fails. */
function failure({ exited }: GraftProcess): Promise<number> {
  return new Promise((resolve) => {
    void exited.then((status) => {
      if (status !== EXIT.ok) resolve(status)
    })
  })
}
