import { setTimeout as delay } from 'node:timers/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { pullBlob } from '../../client/node/transfer.ts'
import { openState, readState } from '../../server/coordinator/journalled-state.ts'
import { parseJournal } from '../../server/coordinator/journal.ts'
import { planRun } from '../../server/coordinator/run-plan.ts'
import { openBlobs } from '../../server/store/blobs.ts'
import type { Store } from '../../server/store/store.ts'
import { type RunId } from '../../shared/ids.ts'
import { decodeSafetensors } from '../../shared/model/safetensors.ts'
import type { Weights } from '../../shared/model/weights.ts'
import { createTemporaryFolder } from '../support/temporary-folder.ts'
import { startTestEngine } from '../support/engine.ts'
import { expectWithin } from '../support/expect-within.ts'
import { startFederation } from '../support/test-federation.ts'
import { TOY_DATASET, TOY_SETTINGS, toyUpdate, toyWeights } from '../support/toy-run.ts'

beforeAll(async () => {
  await startTestEngine()
})

describe('a federation that is stopped and goes on', () => {
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
})

// Helpers

/** The run that a stopped coordinator left. */
async function runOf({ store }: { store: Store }): Promise<RunId> {
  return (await store.unfinishedRun())!.id
}
