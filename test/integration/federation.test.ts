import { getEventListeners } from 'node:events'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import * as tf from '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from 'vitest'
import type { NodeEvent } from '../../client/node/progress.ts'
import { pullBlob } from '../../client/node/transfer.ts'
import { openState, readState } from '../../server/coordinator/journalled-state.ts'
import { parseJournal } from '../../server/coordinator/journal.ts'
import { planRun } from '../../server/coordinator/run-plan.ts'
import { openBlobs } from '../../server/store/blobs.ts'
import { openStore } from '../../server/store/open-store.ts'
import type { Store } from '../../server/store/store.ts'
import { ClientId, RoundNumber, type RunId } from '../../shared/ids.ts'
import { decodeSafetensors } from '../../shared/model/safetensors.ts'
import type { Weights } from '../../shared/model/weights.ts'
import { createTemporaryFolder } from '../support/temporary-folder.ts'
import { startTestEngine } from '../support/engine.ts'
import { expectWithin } from '../support/expect-within.ts'
import { startFederation } from '../support/test-federation.ts'
import {
  hashOf,
  TOY_DATASET,
  TOY_SETTINGS,
  toyUpdate,
  toyWeights,
  updateWithNaN,
} from '../support/toy-run.ts'

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

    expect(await a.hears('round:failed')).toMatchObject({
      round: 1,
      code: 'GRAFT_COHORT_TOO_SMALL',
    })
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

  it('should quarantine an update that is none, say why in the audit log, and go on', async () => {
    await using folder = await createTemporaryFolder()
    await using federation = await startFederation({ home: folder.path })
    const [honest, broken] = [await federation.puppet('honest'), await federation.puppet('broken')]
    await broken.hears('round:invited')

    const good = toyUpdate('good')
    const [first, ...others] = toyWeights('good')
    const wrongShape = [{ ...first!, shape: [...first!.shape].reverse() }, ...others]
    const bad = [
      { code: 'GRAFT_NOT_FINITE', says: 'fc1.kernel[3] is NaN', update: updateWithNaN('good') },
      {
        code: 'GRAFT_SHAPE_MISMATCH',
        says: 'fc1.kernel [12,6], not fc1.kernel [6,12]',
        update: toyUpdate('good', { weights: wrongShape }),
      },
      {
        code: 'GRAFT_MODEL_FILE_INVALID',
        says: '',
        update: { ...good, bytes: good.bytes.subarray(0, 100) },
      },
      {
        code: 'GRAFT_MESSAGE_INVALID',
        says: 'numExamples 10, not 1000',
        update: { ...good, numExamples: 1000, classCounts: [994, 3, 2, 1] },
      },
    ]
    for (const { code, update } of bad) {
      await expect(broken.send(update)).rejects.toMatchObject({ code })
    }
    await honest.send(toyUpdate('honest'))
    await broken.send(good)

    expect((await federation.reports)[0]).toMatchObject({ uploads: 2 })
    const audit = (await federation.store.readAudit(20)).reverse()
    const quarantined = audit.filter(({ action }) => action === 'update:quarantined')
    expect(quarantined).toMatchObject(
      bad.map(({ code, says }) => ({
        actor: 'client:broken',
        details: { code, problem: expect.stringContaining(says) },
      })),
    )
    const files = quarantined.map(({ details }) => (details as { file: string }).file)
    expect((await readdir(join(folder.path, 'quarantine'))).sort()).toEqual([...files].sort())
  })

  it('should refuse before any byte who is not in the cohort and what is too large', async () => {
    await using folder = await createTemporaryFolder()
    await using federation = await startFederation({ home: folder.path })
    const [a, b] = [await federation.puppet('a'), await federation.puppet('b')]
    await a.hears('round:invited')
    const tooLate = await federation.puppet('too-late')

    const code = 'GRAFT_NOT_IN_COHORT'
    await expect(tooLate.send(toyUpdate('c'))).rejects.toMatchObject({ code })
    const large = { ...toyUpdate('a'), bytes: new Uint8Array(10_000) }
    await expect(a.send(large)).rejects.toMatchObject({ code: 'GRAFT_UPLOAD_TOO_LARGE' })
    expect(await readdir(join(folder.path, 'uploads'))).toEqual([])

    await Promise.all([a.send(toyUpdate('a')), b.send(toyUpdate('b'))])
    expect((await federation.reports)[0]).toMatchObject({ cohort: 2, uploads: 2 })
  })

  it('should keep the first of two updates of a client for one round', async () => {
    await using folder = await createTemporaryFolder()
    await using federation = await startFederation({ home: folder.path })
    const [a, b] = [await federation.puppet('a'), await federation.puppet('b')]
    await a.hears('round:invited')
    const first = toyUpdate('first')
    await a.send(first)
    await a.send(toyUpdate('second'))
    const other = toyUpdate('b')
    await b.send(other)

    const [report] = await federation.reports
    expect(report?.uploads).toBe(2)
    const audit = (await federation.store.readAudit(20)).reverse()
    const accepted = audit.filter(({ action }) => action === 'update:accepted')
    expect(accepted).toMatchObject([
      { actor: 'client:a', details: { blob: hashOf(first.bytes) } },
      { actor: 'client:b', details: { blob: hashOf(other.bytes) } },
    ])
  })

  it('should refuse a name that joined with another token', async () => {
    await using folder = await createTemporaryFolder()
    await using federation = await startFederation({ home: folder.path })
    await federation.puppet('a')
    const other = { secret: 'another-join-token', kind: 'join', clientId: null } as const
    await federation.store.createToken({ ...other, label: 'other', expiresAt: null })

    const thief = federation.puppet('a', other.secret)
    await expect(thief).rejects.toMatchObject({ code: 'GRAFT_CLIENT_NAME_TAKEN' })
  })

  it('should keep an accepted update through a stop, and invite only who is missing', async () => {
    await using folder = await createTemporaryFolder()
    {
      await using stopped = await startFederation({ home: folder.path })
      const [a] = [await stopped.puppet('a'), await stopped.puppet('b')]
      await a.hears('round:invited')
      await a.send(toyUpdate('a'))
      stopped.stop(new Error('stopped'))
      await expect(stopped.reports).rejects.toThrow('stopped')
    }

    await using federation = await startFederation({ home: folder.path })
    const [a, b] = [await federation.puppet('a'), await federation.puppet('b')]
    expect(await b.hears('round:invited')).toMatchObject({ round: 1 })
    await b.send(toyUpdate('b'))
    expect((await federation.reports)[0]).toMatchObject({ cohort: 2, uploads: 2 })
    // Nothing but the end of the round: it was not invited to send again.
    expect(await a.next('connected')).toMatchObject({ type: 'round:published', round: 1 })
  })

  it('should let clients in when their round goes on, not while earlier rounds are told again', async () => {
    await using folder = await createTemporaryFolder()
    const settings = { rounds: 2 }
    {
      await using stopped = await startFederation({ home: folder.path, settings })
      const both = [await stopped.puppet('a'), await stopped.puppet('b')]
      await Promise.all(both.map((puppet, i) => puppet.send(toyUpdate(`${i}`))))
      await stopped.shown('round 2: collecting')
      stopped.stop(new Error('stopped'))
      await expect(stopped.reports).rejects.toThrow('stopped')
    }

    let goOn!: () => void
    const told = new Promise<void>((resolve) => (goOn = resolve))
    await using federation = await startFederation({
      home: folder.path,
      settings,
      onRound: () => told,
    })
    const sent = ['a', 'b'].map(async (name) => {
      const puppet = await federation.puppet(name)
      // What a client does that was in the middle of it.
      await puppet.send(toyUpdate(name, { round: 2 }))
    })
    // Long enough for a refusal.
    await Promise.race([Promise.all(sent), delay(1000)]).finally(goOn)
    await Promise.all(sent)
    expect(await federation.reports).toMatchObject([{ uploads: 2 }, { uploads: 2 }])
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
      const [model] = await federation.store.listModels(run)
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

  it('should go on with what the strategy remembers, through a stop between two rounds', async () => {
    await using folder = await createTemporaryFolder()
    const tune = { ...TOY_SETTINGS.tune, epochs: 20, learningRate: 0.05 }
    const settings = { strategy: 'fedavgm:beta=0.5', rounds: 2, tune }
    {
      await using stopped = await startFederation({ home: folder.path, settings })
      const both = [await stopped.puppet('ada'), await stopped.puppet('bob')]
      await Promise.all(both.map((puppet, i) => puppet.send(toyUpdate(`${i}`))))
      await stopped.shown('round 2: collecting')
      stopped.stop(new Error('stopped'))
      await expect(stopped.reports).rejects.toThrow('stopped')
    }
    await using federation = await startFederation({ home: folder.path, settings })
    const both = [await federation.puppet('ada'), await federation.puppet('bob')]
    const { run } = await both[0]!.hears('round:invited')
    const second = both.map((puppet, i) => puppet.send(toyUpdate(`second ${i}`, { round: 2 })))
    await Promise.all(second)
    await federation.reports

    const journal = parseJournal(await federation.store.readJournal(run))
    const events = journal.map(({ event }) => event)
    const states = events.flatMap((event) =>
      event.type === 'model-fused' ? [event.fused.state!] : [],
    )
    const [published] = events.flatMap((event) =>
      event.type === 'model-evaluated' ? [event.publication] : [],
    )
    expect(published).toMatchObject({ isNew: true, state: states[0] })
    const blobs = await openBlobs(join(folder.path, 'blobs'))
    const momenta = states.map(async (id) => {
      const [kernel] = await openState(blobs, await readState(blobs, id))['momentum']!.load()
      return kernel!.data
    })
    const [before, after] = await Promise.all(momenta)
    const [global] = decodeSafetensors(await blobs.get(published!.blob)).tensors
    const [[a], [b]] = [toyWeights('second 0'), toyWeights('second 1')]
    expectWithin(
      after!,
      before!.map((v, i) => 0.5 * v + (a!.data[i]! + b!.data[i]!) / 2 - global!.data[i]!),
      1e-6,
    )
  })

  it('should correct clients by what it keeps of each, through a stop between two rounds', async () => {
    await using folder = await createTemporaryFolder()
    const tune = { ...TOY_SETTINGS.tune, epochs: 20, learningRate: 0.05 }
    const training = {
      ...TOY_SETTINGS.training,
      optimizer: 'plain-sgd',
      learningRate: 0.5,
    } as const
    const settings = { strategy: 'scaffold', rounds: 2, tune, training }
    {
      await using stopped = await startFederation({ home: folder.path, settings })
      const both = [await stopped.puppet('ada'), await stopped.puppet('bob')]
      expect(await both[0]!.hears('round:invited')).not.toHaveProperty('training')
      await Promise.all(both.map((puppet, i) => puppet.send(toyUpdate(`${i}`))))
      await stopped.shown('round 2: collecting')
      stopped.stop(new Error('stopped'))
      await expect(stopped.reports).rejects.toThrow('stopped')
    }
    await using federation = await startFederation({ home: folder.path, settings })
    const both = [await federation.puppet('ada'), await federation.puppet('bob')]
    const kernelOf = (weights: Weights) => weights[0]!.data
    const controls = both.map(async (puppet) => {
      const { training } = await puppet.hears('round:invited')
      const { add, subtract } = training!.correction!
      const pulled = [add, subtract!].map((blob) => pullBlob(puppet.connection, blob))
      return (await Promise.all(pulled)).map((bytes) => kernelOf(decodeSafetensors(bytes).tensors))
    })
    const [[c, ofAda], [alsoC, ofBob]] = (await Promise.all(controls)) as [
      [Float32Array, Float32Array],
      [Float32Array, Float32Array],
    ]
    expect(alsoC).toEqual(c)
    // One step of 10 examples from the untrained model: c_i is how far each went, by the learning rate.
    const x = kernelOf(planRun({ ...TOY_SETTINGS, ...settings }, TOY_DATASET, null).untrained())
    const [a, b] = ['0', '1'].map((seed) => kernelOf(toyWeights(seed)))
    const ways = [a!, b!].map((y) => x.map((value, i) => (value - y[i]!) / 0.5))
    expectWithin(ofAda, ways[0]!, 1e-5)
    expectWithin(ofBob, ways[1]!, 1e-5)
    expectWithin(
      c,
      ways[0]!.map((value, i) => (value + ways[1]![i]!) / 2),
      1e-5,
    )
  })

  it('should end for the reason of a stop while it fuses, and fuse again', async () => {
    await using folder = await createTemporaryFolder()
    const settings = { strategy: 'kf-gradient:epochs=200' }
    {
      await using stopped = await startFederation({ home: folder.path, settings })
      const both = [await stopped.puppet('ada'), await stopped.puppet('bob')]
      await Promise.all(both.map((puppet, i) => puppet.send(toyUpdate(`${i}`))))
      await stopped.shown('round 1: fusing, level 1 of 2, fc1')
      stopped.stop(new Error('stopped'))
      await expect(stopped.reports).rejects.toThrow('stopped')
      const events = parseJournal(await stopped.store.readJournal(await runOf(stopped)))
      expect(events.map(({ event }) => event.type)).not.toContain('work-failed')
    }
    await using federation = await startFederation({ home: folder.path, settings })
    await Promise.all(['ada', 'bob'].map((name) => federation.puppet(name)))
    expect((await federation.reports)[0]).toMatchObject({ uploads: 2 })
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

  it('should refuse to go on with a stored run under other settings, naming them', async () => {
    await using folder = await createTemporaryFolder()
    {
      await using stopped = await startFederation({ home: folder.path })
      stopped.stop(new Error('stopped'))
      await expect(stopped.reports).rejects.toThrow('stopped')
    }
    const settings = { seed: 8, rounds: 5 }
    await expect(startFederation({ home: folder.path, settings })).rejects.toThrow(
      /another seed, rounds: .*\(GRAFT_OPTION_INVALID\)$/,
    )
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
