import { getEventListeners } from 'node:events'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openEventLog } from '../../../../client/simulator/event-log.ts'
import { simulate, type Simulation } from '../../../../client/simulator/simulate.ts'
import { ChildFailed, Interrupted } from '../../../../shared/command/run-program.ts'
import { ClientId, RoundNumber } from '../../../../shared/ids.ts'
import { installFakeGraft } from '../../../support/fake-graft.ts'
import { createTemporaryFolder, type TemporaryFolder } from '../../../support/temporary-folder.ts'

const HEALTHY: Simulation = {
  coordinatorWords: ['--clients', '5'],
  clients: 5,
  workers: 2,
  dataWords: [],
  engine: 'wasm',
  home: '',
  faults: null,
  updateFolder: null,
  say: () => undefined,
  signal: new AbortController().signal,
}

let folder: TemporaryFolder
let SIMULATION: Simulation

beforeEach(async () => {
  folder = await createTemporaryFolder()
  SIMULATION = { ...HEALTHY, home: folder.path }
})

afterEach(() => folder[Symbol.asyncDispose]())

describe('simulate', () => {
  it('should start a coordinator and deal the clients over the workers, under one secret token', async () => {
    await using graft = await installFakeGraft({ coordinator: 'listen and exit' })
    await simulate(SIMULATION)
    const [coordinator, ...workers] = await graft.starts()
    expect(coordinator?.words).toEqual(['coordinator', '--port', '0', '--clients', '5'])
    expect(workers.map(({ words }) => words.join(' '))).toEqual(
      ['0,2,4', '1,3'].map(
        (shards) =>
          'simulate-worker --clients 5 --server http://127.0.0.1:1 ' +
          `--shards ${shards} --engine wasm`,
      ),
    )
    expect(coordinator?.token).toMatch(/^[\w-]{32}$/)
    expect(workers.map(({ token }) => token)).toEqual([coordinator?.token, coordinator?.token])
    expect(JSON.stringify(workers.map(({ words }) => words))).not.toContain(coordinator!.token)
  })

  it('should start no worker without a client', async () => {
    await using graft = await installFakeGraft({ coordinator: 'listen and exit' })
    await simulate({ ...SIMULATION, clients: 2, workers: 8 })
    const shards = (await graft.starts()).slice(1).map(({ words }) => words[6])
    expect(shards).toEqual(['0', '1'])
  })

  it('should hand workers the fault plan and the shared updates', async () => {
    await using graft = await installFakeGraft({ coordinator: 'listen and exit' })
    const faults = { file: 'plan.json', seed: 3 }
    await simulate({ ...SIMULATION, workers: 1, faults, updateFolder: 'study/updates' })
    const [, worker] = await graft.starts()
    expect(worker?.words.join(' ')).toMatch(
      /--faults plan\.json --seed 3 --updates study\/updates$/,
    )
  })

  it('should not start clients again that have left the run for good', async () => {
    await using graft = await installFakeGraft({ coordinator: 'listen and exit' })
    const log = await openEventLog(
      join(folder.path, 'events.jsonl'),
      SIMULATION.coordinatorWords.join(' '),
    )
    log.add({
      ...{ type: 'fault', client: ClientId.parse('client-1'), round: RoundNumber.parse(1) },
      ...{ fault: 'leave', detail: 'for good', isGone: true },
    })
    const { faults } = await simulate(SIMULATION)
    const shards = (await graft.starts()).slice(1).map(({ words }) => words[6])
    expect(shards.sort()).toEqual(['0,3', '2,4'])
    expect(faults).toMatchObject([{ client: 'client-1', round: 1, isGone: true }])
  })

  it('should start nothing once it was told to end', async () => {
    await using graft = await installFakeGraft({ coordinator: 'listen and exit' })
    const told = simulate({ ...SIMULATION, signal: AbortSignal.abort(new Interrupted('it')) })
    await expect(told).rejects.toBeInstanceOf(Interrupted)
    expect(await graft.starts()).toHaveLength(0)
  })

  it('should pass on the status of a coordinator that fails, and start no worker', async () => {
    await using graft = await installFakeGraft({ coordinator: 'exit 5' })
    const error: unknown = await simulate(SIMULATION).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(ChildFailed)
    expect(error).toMatchObject({ exitStatus: 5 })
    expect(await graft.starts()).toHaveLength(1)
  })

  it('should end everything with the status of a worker that fails', async () => {
    await using graft = await installFakeGraft({
      coordinator: 'listen',
      'simulate-worker': 'exit 4',
    })
    await expect(simulate(SIMULATION)).rejects.toMatchObject({ exitStatus: 4 })
    expect((await graft.starts()).length).toBeGreaterThanOrEqual(2)
  })

  it.each([
    { role: 'coordinator', behaviour: { coordinator: 'die' } },
    { role: 'worker', behaviour: { coordinator: 'listen', 'simulate-worker': 'die' } },
  ])('should say that a $role was killed, which could not say so', async ({ role, behaviour }) => {
    await using graft = await installFakeGraft(behaviour)
    await expect(simulate(SIMULATION)).rejects.toMatchObject({
      code: 'GRAFT_RUN_FAILED',
      problem: expect.stringContaining(`A ${role} process was ended by SIGKILL`),
    })
    expect((await graft.starts()).length).toBeGreaterThanOrEqual(1)
  })

  it('should stop its processes on Ctrl-C', async () => {
    await using graft = await installFakeGraft({ coordinator: 'listen', 'simulate-worker': 'wait' })
    const stop = new AbortController()
    const run = simulate({ ...SIMULATION, signal: stop.signal })
    await graft.started(3)
    stop.abort(new Interrupted('SIGINT'))
    // It ends when all of them have.
    await expect(run).rejects.toBeInstanceOf(Interrupted)
    expect(getEventListeners(stop.signal, 'abort')).toEqual([])
  })
})
