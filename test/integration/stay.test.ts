import { beforeAll, describe, expect, it } from 'vitest'
import type { NodeEvent } from '../../client/node/progress.ts'
import type { Actor } from '../../server/coordinator/operations.ts'
import { GraftError } from '../../shared/errors.ts'
import { startTestEngine } from '../support/engine.ts'
import { startStayingCoordinator } from '../support/staying-coordinator.ts'
import type { RunId } from '../../shared/ids.ts'
import { createTemporaryFolder } from '../support/temporary-folder.ts'
import { TOY_SETTINGS } from '../support/toy-run.ts'

const OPERATOR: Actor = 'operator:ada'

beforeAll(async () => {
  await startTestEngine()
})

describe('a coordinator that stays', () => {
  it('should take one run after the other, and its clients with it', async () => {
    await using folder = await createTemporaryFolder()
    await using coordinator = await startStayingCoordinator(folder.path)
    const { operations, store } = coordinator
    const events: NodeEvent[] = []
    const nodes = [coordinator.node(0, (event) => events.push(event)), coordinator.node(1)]
    const first = await operations.createRun(TOY_SETTINGS, OPERATOR)
    // Of another network, so that a client has to prepare for it.
    const other = { ...TOY_SETTINGS, model: 'mlp:6-8-4', seed: 8 }
    const second = await operations.createRun(other, OPERATOR)
    await coordinator.has(second, 'finished')

    const runs = await store.listRuns()
    expect(runs).toMatchObject([
      { id: first, number: 1, status: 'finished' },
      { id: second, number: 2, status: 'finished' },
    ])
    const modelsOf = (run: RunId) => store.lists.models({ run, limit: 10 })
    for (const { id } of runs) expect(await modelsOf(id)).toHaveLength(1)
    const joined = events.flatMap((event) => (event.type === 'joined' ? [event.run] : []))
    expect(joined).toEqual([first, second])
    expect(events.filter(({ type }) => type === 'accepted')).toHaveLength(2)

    // The newest model of a run is where it starts from when it is tried again.
    const third = await operations.retry(second, OPERATOR)
    await coordinator.has(third, 'finished')
    const [model] = await modelsOf(second)
    expect((await store.listRuns())[2]?.settings).toEqual({ ...other, initialModel: model?.blob })

    coordinator.stop(new Error('enough'))
    expect(await coordinator.ended).toMatchObject({ message: 'enough' })
    for (const node of nodes) expect(await node).toMatchObject({ message: 'enough' })
  })

  it('should refuse a run that this machine has no room for, when it is asked for and when it begins', async () => {
    await using folder = await createTemporaryFolder()
    const full = new GraftError('GRAFT_RUN_TOO_LARGE', 'The run takes more than there is.')
    const answers = [full, null, full]
    const foretold: string[] = []
    await using coordinator = await startStayingCoordinator(folder.path, async (plan, say) => {
      say(plan.settings.model)
      foretold.push(plan.settings.model)
      return answers.shift() ?? null
    })
    const { operations, store } = coordinator
    await expect(operations.createRun(TOY_SETTINGS, OPERATOR)).rejects.toBe(full)
    expect(await store.listRuns()).toEqual([])

    // There was room when it was asked for, and is none any more.
    const late = await operations.createRun(TOY_SETTINGS, OPERATOR)
    await coordinator.has(late, 'failed')
    expect(await store.lists.audit({ limit: 100 })).toContainEqual(
      expect.objectContaining({
        action: 'run:failed',
        details: { run: late, code: full.code, problem: full.problem },
      }),
    )
    const nodes = [coordinator.node(0), coordinator.node(1)]
    const next = await operations.createRun(TOY_SETTINGS, OPERATOR)
    await coordinator.has(next, 'finished')
    expect(foretold).toHaveLength(5)
    coordinator.stop(new Error('enough'))
    await Promise.all(nodes)
  })

  it('should say who comes and who goes, also while there is no run', async () => {
    await using folder = await createTemporaryFolder()
    await using coordinator = await startStayingCoordinator(folder.path)
    const { operations } = coordinator
    const counts = () => {
      const { connected, known } = operations.federation().clients
      return `${connected} of ${known}`
    }
    const told = new Map<string, Promise<void>>()
    for (const wanted of ['1 of 1', '0 of 1']) {
      let hasCome = false
      told.set(
        wanted,
        new Promise((resolve) => {
          operations.listen({
            federationChanged: () => undefined,
            laneChanged: () => undefined,
            eventAppended: () => undefined,
            resourceChanged(resource) {
              hasCome ||= counts() === '1 of 1'
              if (resource === 'clients' && hasCome && counts() === wanted) resolve()
            },
          })
        }),
      )
    }
    const leave = new AbortController()
    const node = coordinator.node(0, undefined, leave.signal)
    await told.get('1 of 1')
    leave.abort(new Error('gone'))
    expect(await node).toMatchObject({ message: 'gone' })
    await told.get('0 of 1')
  })

  it('should go on with what a killed coordinator left: its run, then those that wait', async () => {
    await using folder = await createTemporaryFolder()
    let ids
    {
      await using killed = await startStayingCoordinator(folder.path)
      const { operations } = killed
      const ordered = [
        await operations.createRun(TOY_SETTINGS, OPERATOR),
        await operations.createRun({ ...TOY_SETTINGS, seed: 8 }, OPERATOR),
        await operations.createRun({ ...TOY_SETTINGS, seed: 9 }, OPERATOR),
      ] as const
      await killed.has(ordered[0], 'running')
      await operations.stop(ordered[1], OPERATOR)
      ids = ordered
    }
    await using coordinator = await startStayingCoordinator(folder.path)
    void coordinator.node(0)
    void coordinator.node(1)
    await coordinator.has(ids[2], 'finished')
    expect((await coordinator.store.listRuns()).map(({ status }) => status)).toEqual([
      'finished',
      'stopped',
      'finished',
    ])
  })

  it('should refuse settings that cannot work, and outlast a run that cannot begin', async () => {
    await using folder = await createTemporaryFolder()
    await using coordinator = await startStayingCoordinator(folder.path)
    const { operations, store } = coordinator
    const unknown = { ...TOY_SETTINGS, dataset: 'toys' }
    await expect(operations.createRun(unknown, OPERATOR)).rejects.toMatchObject({
      code: 'GRAFT_DATASET_UNKNOWN',
    })
    const unsuitable = { ...TOY_SETTINGS, strategy: 'ensemble' }
    await expect(operations.createRun(unsuitable, OPERATOR)).rejects.toMatchObject({
      code: 'GRAFT_STRATEGY_UNKNOWN',
    })
    expect(await store.listRuns()).toEqual([])

    // As one that another coordinator, with other data, has queued.
    const { id: broken } = await store.createRun(unknown)
    const good = await operations.createRun(TOY_SETTINGS, OPERATOR)
    void coordinator.node(0)
    void coordinator.node(1)
    await coordinator.has(good, 'finished')
    expect(await store.listRuns()).toMatchObject([{ id: broken, status: 'failed' }, { id: good }])
    expect(await store.lists.run(broken)).toMatchObject({
      failure: { code: 'GRAFT_DATASET_UNKNOWN', problem: expect.stringContaining('toys') },
    })
    const audit = await store.readAuditOf('run:failed', 10)
    expect(audit).toMatchObject([{ details: { run: broken, code: 'GRAFT_DATASET_UNKNOWN' } }])
  })
})
