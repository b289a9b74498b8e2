import { getEventListeners } from 'node:events'
import * as tf from '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from 'vitest'
import type { NodeEvent } from '../../client/node/progress.ts'
import { parseJournal } from '../../server/coordinator/journal.ts'
import { openStore } from '../../server/store/open-store.ts'
import type { Store } from '../../server/store/store.ts'
import { ClientId, RoundNumber, type RunId } from '../../shared/ids.ts'
import { createTemporaryFolder } from '../support/temporary-folder.ts'
import { startTestEngine } from '../support/engine.ts'
import { startFederation } from '../support/test-federation.ts'
import { hashOf, TOY_SETTINGS, toyUpdate, toyWeights } from '../support/toy-run.ts'

beforeAll(async () => {
  await startTestEngine()
})

describe('a federation', () => {
  it('should complete a round between a coordinator and two clients', async () => {
    await using folder = await createTemporaryFolder()
    await using federation = await startFederation({ home: folder.path })
    const summaries = await Promise.all([federation.node(0), federation.node(1)])
    const [report, ...others] = await federation.reports

    expect(others).toEqual([])
    expect(report).toMatchObject({ round: 1, cohort: 2, uploads: 2 })
    expect(report?.parents.map(({ client }) => client)).toEqual(['client-0', 'client-1'])
    expect(report?.evaluations?.map(({ client }) => client)).toEqual(['client-0', 'client-1'])
    expect(report?.bytes.up).toBe(sum(summaries.map(({ accepted }) => accepted[0]!.sizeBytes)))
    expect(report?.bytes.down).toBeGreaterThan(0)
    const actions = (await federation.store.readAudit(10)).map(({ action }) => action).sort()
    expect(actions).toEqual([
      'client:admitted',
      'client:admitted',
      'update:accepted',
      'update:accepted',
    ])
    expect(await federation.store.unfinishedRun()).toBeNull()
  })

  it('should publish the same model when a client is killed in the middle and comes back', async () => {
    await using calmFolder = await createTemporaryFolder()
    await using calm = await startFederation({ home: calmFolder.path })
    await Promise.all([calm.node(0), calm.node(1)])

    await using folder = await createTemporaryFolder()
    await using federation = await startFederation({ home: folder.path })
    const kill = new AbortController()
    const killed = federation.node(1, {
      signal: kill.signal,
      onEvent: (event) => {
        if (event.type === 'progress' && event.phase === 'training') kill.abort(new Error('killed'))
      },
    })
    const survivor = federation.node(0)
    await expect(killed).rejects.toThrow('killed')
    await federation.shown('client-1: away')
    const back = await federation.node(1)

    expect(back.accepted).toHaveLength(1)
    expect((await survivor).accepted).toHaveLength(1)
    expect((await federation.reports)[0]).toMatchObject({ cohort: 2, uploads: 2 })
    expect(await publishedBy(federation)).toEqual(await publishedBy(calm))
  })

  it('should fuse the quorum at the deadline, refuse the late update, and invite its client again', async () => {
    await using folder = await createTemporaryFolder()
    const settings = { rounds: 2, quorum: 1, deadlineSeconds: 3 }
    await using federation = await startFederation({ home: folder.path, settings })
    const [early, late] = [await federation.puppet('early'), await federation.puppet('late')]

    expect(await late.hears('round:invited')).toMatchObject({ round: 1 })
    await early.send(toyUpdate('early'))
    await late.hears('round:published')
    await expect(late.send(toyUpdate('late'))).rejects.toMatchObject({ code: 'GRAFT_ROUND_STALE' })

    expect(await late.hears('round:invited')).toMatchObject({ round: 2 })
    await late.send(toyUpdate('late', { round: 2 }))
    await early.send(toyUpdate('early', { round: 2 }))
    const reports = await federation.reports
    expect(reports.map(({ uploads }) => uploads)).toEqual([1, 2])
    expect(reports[0]?.parents.map(({ client }) => client)).toEqual(['early'])
  })

  it('should go on with the next round when one ends below the quorum', async () => {
    await using folder = await createTemporaryFolder()
    const settings = { rounds: 2, deadlineSeconds: 2 }
    await using federation = await startFederation({ home: folder.path, settings })
    const [a, b] = [await federation.puppet('a'), await federation.puppet('b')]
    await a.hears('round:invited')
    await a.send(toyUpdate('early'))

    expect(await a.hears('round:failed')).toMatchObject({
      round: 1,
      code: 'GRAFT_COHORT_TOO_SMALL',
    })
    const said = `1 of the 2 updates that it needs (--quorum) came; a round waits 2 s for them`
    await federation.shown(`Round 1 ended without a model: ${said} (--deadline).`)
    expect(await a.hears('round:invited')).toMatchObject({ round: 2 })
    await Promise.all([a, b].map((puppet, i) => puppet.send(toyUpdate(`${i}`, { round: 2 }))))
    expect((await federation.reports).map(({ round }) => round)).toEqual([2])
    expect(await a.hears('run:finished')).toMatchObject({ rounds: 1 })
  })

  it('should end a run with the round that reaches its target', async () => {
    await using folder = await createTemporaryFolder()
    const settings = { rounds: 3, controls: 'last', targetAccuracy: 0.01 } as const
    await using federation = await startFederation({ home: folder.path, settings })
    const [summary] = await Promise.all([federation.node(0), federation.node(1)])
    const [report, ...others] = await federation.reports

    expect(others).toEqual([])
    expect(summary.accepted).toHaveLength(1)
    // It is the last one, so its controls are measured.
    expect(report?.controls.ensemble).not.toBeNull()
    for (const { contribution } of report!.parents) expect(contribution).toBeTypeOf('number')
    expect(await federation.store.unfinishedRun()).toBeNull()
  })

  it('should count a run as finished when its clients have been told, not before', async () => {
    await using folder = await createTemporaryFolder()
    await using federation = await startFederation({
      home: folder.path,
      settings: { quorum: 1, rounds: 1 },
    })
    const a = await federation.puppet('client-0')
    const b = await federation.puppet('client-1')
    await a.hears('round:invited')
    await a.send(toyUpdate('a'))
    await b.send(toyUpdate('b'))
    b.close()
    await a.hears('run:finished')
    // A coordinator that is killed now must go on with this run: client-1 still waits for its end.
    expect(await federation.store.unfinishedRun()).not.toBeNull()
    await federation.puppet('client-1')
    await federation.reports
    expect(await federation.store.unfinishedRun()).toBeNull()
  })

  it('should tell who was fused, and how good that was, in a round that leaves out the controls', async () => {
    await using folder = await createTemporaryFolder()
    const settings = { rounds: 2, controls: 'last' } as const
    await using federation = await startFederation({ home: folder.path, settings })
    await Promise.all([federation.node(0), federation.node(1)])
    const [first, second] = await federation.reports

    expect(first?.parents).toEqual([
      { client: 'client-0', numExamples: 80, classCounts: [40, 40, 0, 0] },
      { client: 'client-1', numExamples: 80, classCounts: [0, 0, 40, 40] },
    ])
    expect(first?.controls.average).toBeNull()
    expect(first?.fused.accuracy).toBeGreaterThan(0)
    expect(second?.parents[0]?.accuracy).toBeGreaterThan(0)
  })

  it('should fail a run none of whose rounds published a model', async () => {
    await using folder = await createTemporaryFolder()
    const settings = { deadlineSeconds: 0.2 }
    await using federation = await startFederation({ home: folder.path, settings })
    await federation.puppet('a')
    await federation.puppet('b')

    await expect(federation.reports).rejects.toMatchObject({ code: 'GRAFT_RUN_FAILED' })
    expect(await federation.store.unfinishedRun()).toBeNull()
  })

  it('should dismiss a client whose token was revoked before the next round begins', async () => {
    await using folder = await createTemporaryFolder()
    const settings = { rounds: 2, clients: 2, quorum: 1, deadlineSeconds: 2 }
    await using federation = await startFederation({
      home: folder.path,
      settings,
      async onRound({ round }) {
        if (round === 1) await federation.store.revokeToken(token.id)
      },
    })
    const { store } = federation
    const owner = { clientId: ClientId.parse('b'), label: 'b', expiresAt: null }
    const token = await store.createToken({ secret: 'the-token-of-b', kind: 'client', ...owner })
    const [a, b] = [await federation.puppet('a'), await federation.puppet('b', 'the-token-of-b')]
    await Promise.all([a, b].map((puppet, i) => puppet.send(toyUpdate(`${i}`))))

    await expect(b.hears('run:finished')).rejects.toMatchObject({ code: 'GRAFT_TOKEN_INVALID' })
    await a.hears('round:published')
    expect(await a.hears('round:invited')).toMatchObject({ round: 2 })
    await a.send(toyUpdate('0', { round: 2 }))
    expect((await federation.reports).map(({ cohort }) => cohort)).toEqual([2, 1])
    const audit = await store.readAudit(50)
    expect(audit).toContainEqual(expect.objectContaining({ action: 'client:dismissed' }))
  })

  it.each(['kf-linear', 'nt'])(
    'should keep the ledger of %s in report and store, through a stop behind fusion',
    async (strategy) => {
      await using folder = await createTemporaryFolder()
      const settings = { strategy, tune: { ...TOY_SETTINGS.tune, epochs: 50 } }
      let run: RunId
      {
        await using stopped = await startFederation({ home: folder.path, settings })
        const both = [await stopped.puppet('ada'), await stopped.puppet('bob')]
        await Promise.all(both.map((puppet, i) => puppet.send(toyUpdate(`${i}`))))
        await stopped.shown('round 1: tuning')
        stopped.stop(new Error('stopped'))
        await expect(stopped.reports).rejects.toThrow('stopped')
        run = await runOf(stopped)
      }
      await using federation = await startFederation({ home: folder.path, settings })
      await Promise.all(['ada', 'bob'].map((name) => federation.puppet(name)))
      const [report] = await federation.reports

      expect(report?.published.isNew).toBe(true)
      expect(report?.ledger?.parents).toEqual(['ada', 'bob'])
      expect(report?.ledger?.groups.map(({ name, neurons }) => [name, neurons.length])).toEqual([
        ['fc1', 12],
      ])
      const journal = parseJournal(await federation.store.readJournal(run))
      const fusions = journal.flatMap(({ event }) =>
        event.type === 'model-fused' ? [event.fused] : [],
      )
      expect(fusions).toEqual([expect.objectContaining({ ledger: expect.any(String) as unknown })])
      const model = await federation.store.readModel(run, RoundNumber.parse(1))
      expect(model).toMatchObject({ blob: report?.published.modelSha256, ledger: report?.ledger })
      expect(model?.report).not.toHaveProperty('ledger')
    },
  )

  it('should report the ledger of the model that stays when a round keeps it', async () => {
    await using folder = await createTemporaryFolder()
    const settings = { rounds: 2, tune: { ...TOY_SETTINGS.tune, epochs: 60 } }
    await using federation = await startFederation({ home: folder.path, settings })
    const [ada, bob] = [await federation.puppet('ada'), await federation.puppet('bob')]
    for (const round of [1, 2]) {
      await ada.hears('round:invited')
      await ada.send(toyUpdate(`a${round}`, { round }))
      // What bob sends in the second round spoils what is fused with it.
      const weights = toyWeights(`b${round}`)
      if (round === 2) for (const { data } of weights) data.fill(1e6)
      await bob.send(toyUpdate(`b${round}`, { round, weights }))
    }
    const [first, second] = await federation.reports
    expect(first?.published).toMatchObject({ isNew: true })
    expect(second?.published).toMatchObject({ candidate: 'kept' })
    expect(second?.ledger).toEqual(first?.ledger)
    expect(second?.ledger).toBeDefined()
  })

  it('should not take the model of a round that failed for a published one', async () => {
    await using folder = await createTemporaryFolder()
    const settings = { ...TOY_SETTINGS, rounds: 2 }
    const store = await openStore({ databaseUrl: undefined, folder: folder.path })
    const { id: run } = await store.createRun(settings)
    await store.saveModel({
      ...{ run, round: RoundNumber.parse(1), blob: hashOf(Buffer.of(1)), report: {}, ledger: null },
    })
    await store.appendEvent(run, { type: 'work-failed', round: 1, code: 'GRAFT_DISK_FULL' })
    await store.close()
    await using federation = await startFederation({ home: folder.path, settings })
    const [a, b] = [await federation.puppet('a'), await federation.puppet('b')]
    await Promise.all([a, b].map((puppet, i) => puppet.send(toyUpdate(`${i}`, { round: 2 }))))
    expect((await federation.reports).map(({ round }) => round)).toEqual([2])
  })

  it('should leave no tensor and no listener behind in twenty rounds', async () => {
    const rounds = 20
    const nodes = [0, 1]
    const judged = createCounter()
    const numTensors: number[] = []
    const numListeners: number[] = []
    await using folder = await createTemporaryFolder()
    await using federation = await startFederation({
      home: folder.path,
      settings: { rounds, scorer: 'conductance' },
      async onRound({ round }) {
        // Both clients have let go of the round, and the coordinator is between two.
        await judged.reaches(nodes.length * round)
        numTensors.push(tf.memory().numTensors)
        numListeners.push(getEventListeners(federation.signal, 'abort').length)
      },
    })
    const onEvent = ({ type }: NodeEvent) => {
      if (type === 'evaluated') judged.add()
    }
    await Promise.all(nodes.map((index) => federation.node(index, { onEvent })))
    await federation.reports

    expect(numTensors).toHaveLength(rounds)
    expect(numTensors[rounds - 1]).toBe(numTensors[2])
    expect(numListeners[rounds - 1]).toBe(numListeners[2])
  })
})

// Helpers

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)

async function publishedBy({ reports }: { reports: Promise<{ published: object }[]> }) {
  return (await reports).map(({ published }) => published)
}

/** The run that a stopped coordinator left. */
async function runOf({ store }: { store: Store }): Promise<RunId> {
  return (await store.unfinishedRun())!.id
}

/** Counts, and lets wait for a count. */
function createCounter() {
  let count = 0
  let check: () => void = () => undefined
  return {
    add() {
      count++
      check()
    },
    reaches: (wanted: number) =>
      new Promise<void>((resolve) => {
        check = () => {
          if (count >= wanted) resolve()
        }
        check()
      }),
  }
}
