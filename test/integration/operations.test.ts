import { beforeAll, describe, expect, it } from 'vitest'
import { parseJournal } from '../../server/coordinator/journal.ts'
import type { Actor } from '../../server/coordinator/operations.ts'
import type { Store } from '../../server/store/store.ts'
import { BlobId, ClientId } from '../../shared/ids.ts'
import { FederationView, LiveEvent } from '../../shared/protocol/operator/live.ts'
import type { LiveEvent as Event } from '../../shared/protocol/operator/live.ts'
import { startTestEngine } from '../support/engine.ts'
import { createTemporaryFolder } from '../support/temporary-folder.ts'
import { startFederation } from '../support/test-federation.ts'
import { overOf } from '../support/test-gateway.ts'
import { toyUpdate, updateWithNaN } from '../support/toy-run.ts'

const OPERATOR: Actor = 'operator:ada'
const [a, b] = ['a', 'b'].map((name) => ClientId.parse(name)) as [ClientId, ClientId]

beforeAll(async () => {
  await startTestEngine()
})

describe('an operator', () => {
  it('should pause a run, also through a restart, and resume it', async () => {
    await using folder = await createTemporaryFolder()
    const settings = { rounds: 2 }
    {
      await using stopped = await startFederation({ home: folder.path, settings })
      const both = [await stopped.puppet('a'), await stopped.puppet('b')]
      const { run } = await both[0]!.hears('round:invited')
      await stopped.operations.pause(run, OPERATOR)
      await expect(stopped.operations.pause(run, OPERATOR)).rejects.toMatchObject({
        code: 'GRAFT_ACTION_REFUSED',
      })
      // The round that goes on ends first.
      await Promise.all(both.map((puppet, i) => puppet.send(toyUpdate(`${i}`))))
      await stopped.shown('The run is paused: its next round waits for an operator.')
      expect(stopped.operations.federation()).toMatchObject({ run, isPaused: true, round: null })
      stopped.stop(new Error('stopped'))
      await expect(stopped.reports).rejects.toThrow('stopped')
      expect(await stopped.store.unfinishedRun()).toMatchObject({ id: run, status: 'paused' })
    }

    await using federation = await startFederation({ home: folder.path, settings })
    const both = [await federation.puppet('a'), await federation.puppet('b')]
    await federation.shown('The run is paused: its next round waits for an operator.')
    const { run } = federation.operations.federation()
    await federation.operations.resume(run!, OPERATOR)
    expect(await both[0]!.hears('round:invited')).toMatchObject({ round: 2 })
    await Promise.all(both.map((puppet, i) => puppet.send(toyUpdate(`${i}`, { round: 2 }))))
    expect((await federation.reports).map(({ round }) => round)).toEqual([1, 2])
    expect(await auditOf(federation.store)).toEqual([
      ['run:paused', undefined],
      ['action:refused', 'run:paused'],
      ['run:resumed', undefined],
    ])
  })

  it('should end a round as its deadline would', async () => {
    await using folder = await createTemporaryFolder()
    const settings = { quorum: 1 }
    await using federation = await startFederation({ home: folder.path, settings })
    await federation.shown('round 1: recruiting')
    const { run } = federation.operations.federation()
    await expect(federation.operations.endRound(run!, OPERATOR)).rejects.toThrow(
      /0 clients are ready and the quorum is 1/,
    )
    const first = await federation.puppet('a')
    await federation.puppet('b')
    await first.hears('round:invited')
    await first.send(toyUpdate('a'))
    await federation.operations.endRound(run!, OPERATOR)
    expect((await federation.reports)[0]).toMatchObject({ cohort: 2, uploads: 1 })
    const journal = parseJournal(await federation.store.readJournal(run!))
    expect(journal.map(({ event }) => event)).toContainEqual({
      ...{ type: 'round-ended', round: 1, by: OPERATOR },
    })
    await expect(federation.operations.endRound(run!, OPERATOR)).rejects.toMatchObject({
      code: 'GRAFT_ACTION_REFUSED',
    })
  })

  it('should ban a client, leave its update out, refuse it, and release it', async () => {
    await using folder = await createTemporaryFolder()
    const settings = { quorum: 1, clients: 2 }
    await using federation = await startFederation({ home: folder.path, settings })
    const [banned, other] = [await federation.puppet('a'), await federation.puppet('b')]
    await banned.hears('round:invited')
    await banned.send(toyUpdate('a'))
    const { operations } = federation
    expect(operations.lanes()).toMatchObject([
      { client: 'a', state: 'accepted', isInCohort: true },
      { client: 'b', state: 'invited', isInCohort: true },
    ])
    await operations.ban(a, 'sends noise', OPERATOR)
    const code = 'GRAFT_CLIENT_BANNED'
    expect(await overOf(banned.connection)).toMatchObject({ code })
    await expect(federation.puppet('a')).rejects.toThrow(/a is banned: sends noise\./)
    await expect(operations.ban(a, 'again', OPERATOR)).rejects.toThrow(/banned already/)
    await expect(operations.release(b, OPERATOR)).rejects.toThrow(/not banned/)
    expect(operations.federation().clients).toMatchObject({ banned: 1, connected: 1 })

    await other.send(toyUpdate('b'))
    const [report] = await federation.reports
    expect(report).toMatchObject({ cohort: 1, uploads: 1, parents: [{ client: 'b' }] })
    await operations.release(a, OPERATOR)
    expect(await federation.store.listBans()).toEqual([])
  })

  it('should choose the model that a round starts from, also through a restart', async () => {
    await using folder = await createTemporaryFolder()
    const settings = { rounds: 3, publish: 'always', strategy: 'fedavgm:beta=0.5' } as const
    let first: BlobId
    {
      await using stopped = await startFederation({ home: folder.path, settings })
      const both = [await stopped.puppet('a'), await stopped.puppet('b')]
      const { run, model } = await both[0]!.hears('round:invited')
      await Promise.all(both.map((puppet, i) => puppet.send(toyUpdate(`${i}`))))
      first = (await both[0]!.hears('round:published')).model.id
      expect(first).not.toBe(model.id)
      await both[0]!.hears('round:invited')
      const unknown = BlobId.parse('ab'.repeat(32))
      const { operations } = stopped
      await expect(operations.chooseModel(run, unknown, OPERATOR)).rejects.toMatchObject({
        code: 'GRAFT_BLOB_UNKNOWN',
      })
      await operations.chooseModel(run, first, OPERATOR)
      expect(operations.federation().globalModel).toBe(first)
      stopped.stop(new Error('stopped'))
      await expect(stopped.reports).rejects.toThrow('stopped')
    }

    await using federation = await startFederation({ home: folder.path, settings })
    const both = [await federation.puppet('a'), await federation.puppet('b')]
    await Promise.all(both.map((puppet, i) => puppet.send(toyUpdate(`second ${i}`, { round: 2 }))))
    const second = (await both[0]!.hears('round:published')).model.id
    expect(second).not.toBe(first)
    const invitation = await both[0]!.hears('round:invited')
    expect(invitation).toMatchObject({ round: 3, model: { id: first } })
    await Promise.all(both.map((puppet, i) => puppet.send(toyUpdate(`third ${i}`, { round: 3 }))))
    expect(await federation.reports).toHaveLength(3)
  })

  it('should release an upload that was announced wrongly, and never one that is not finite', async () => {
    await using folder = await createTemporaryFolder()
    await using federation = await startFederation({ home: folder.path })
    const [wrong, other] = [await federation.puppet('a'), await federation.puppet('b')]
    await wrong.hears('round:invited')
    await expect(
      wrong.send({ ...toyUpdate('a'), classCounts: [3, 4, 2, 1] }),
    ).rejects.toMatchObject({
      code: 'GRAFT_MESSAGE_INVALID',
    })
    await expect(wrong.send(updateWithNaN('a'))).rejects.toMatchObject({ code: 'GRAFT_NOT_FINITE' })
    const { operations } = federation
    expect(operations.lanes()[0]).toMatchObject({ state: 'quarantined', client: 'a' })
    const [broken, misnumbered] = await operations.quarantine()
    expect([broken, misnumbered]).toMatchObject([
      { client: 'a', round: 1, code: 'GRAFT_NOT_FINITE', canRelease: true },
      { client: 'a', round: 1, code: 'GRAFT_MESSAGE_INVALID', canRelease: true },
    ])
    await expect(operations.releaseUpload(broken!.id, OPERATOR)).rejects.toThrow(
      /What is not finite, or not of the run's shape, is never released/,
    )
    await operations.releaseUpload(misnumbered!.id, OPERATOR)
    await operations.removeUpload(broken!.id, OPERATOR)
    expect(await operations.quarantine()).toEqual([])
    expect(operations.federation().clients.quarantined).toBe(0)

    await other.send(toyUpdate('b'))
    const [report] = await federation.reports
    expect(report?.parents).toMatchObject([
      { client: 'a', numExamples: 10 },
      { client: 'b', numExamples: 10 },
    ])
  })

  it('should stop a run in the middle of a round, and tell its clients', async () => {
    await using folder = await createTemporaryFolder()
    await using federation = await startFederation({
      home: folder.path,
      settings: { strategy: 'kf-gradient:epochs=200' },
    })
    const both = [await federation.puppet('a'), await federation.puppet('b')]
    const { run } = await both[0]!.hears('round:invited')
    await Promise.all(both.map((puppet, i) => puppet.send(toyUpdate(`${i}`))))
    await federation.shown('round 1: fusing, level 1 of 2, fc1')
    await federation.operations.stop(run, OPERATOR)
    expect(await both[0]!.hears('run:finished')).toMatchObject({ run, rounds: 0 })
    expect(await federation.reports).toEqual([])
    expect(await federation.store.listRuns()).toMatchObject([{ id: run, status: 'stopped' }])
    expect(await federation.store.unfinishedRun()).toBeNull()
    await expect(federation.operations.stop(run, OPERATOR)).rejects.toThrow(/is stopped/)
  })

  it('should end the connections of a token that is revoked, at once', async () => {
    await using folder = await createTemporaryFolder()
    await using federation = await startFederation({ home: folder.path })
    const puppet = await federation.puppet('a')
    const [token] = await federation.store.listTokens()
    await federation.store.revokeToken(token!.id)
    await federation.operations.tokenRevoked(token!.id)
    expect(await overOf(puppet.connection)).toMatchObject({ code: 'GRAFT_TOKEN_INVALID' })
  })

  it('should refuse other runs where the coordinator ends with its own', async () => {
    await using folder = await createTemporaryFolder()
    await using federation = await startFederation({ home: folder.path })
    const { operations, settings } = federation
    await expect(operations.createRun(settings, OPERATOR)).rejects.toThrow(/start it with --stay/)
  })

  it('should hear every stored event once, and again from any of them', async () => {
    await using folder = await createTemporaryFolder()
    await using federation = await startFederation({ home: folder.path })
    const { operations } = federation
    const heard: Event[] = []
    const deaf = operations.listen({
      federationChanged: () => FederationView.parse(operations.federation()),
      laneChanged: () => undefined,
      eventAppended: (event) => heard.push(LiveEvent.parse(event)),
      resourceChanged: () => undefined,
    })
    const both = [await federation.puppet('a'), await federation.puppet('b')]
    await Promise.all(both.map((puppet, i) => puppet.send(toyUpdate(`${i}`))))
    await federation.reports
    deaf()
    expect(heard.map(({ type, phase }) => `${type} ${phase}`)).toEqual([
      'client-ready recruiting',
      'client-ready collecting',
      'update-received collecting',
      'update-received fusing',
      'model-fused tuning',
      'model-tuned evaluating',
      'model-evaluated published',
    ])
    const timeless = (events: readonly Event[]) => events.map((event) => ({ ...event, at: '' }))
    const stored = await operations.eventsAfter('0.0', 100)
    expect(timeless(stored)).toEqual(timeless(heard))
    const later = await operations.eventsAfter(heard[2]!.id, 2)
    expect(timeless(later)).toEqual(timeless(heard.slice(3, 5)))
    expect(operations.federation().lastEventId).toBe(heard.at(-1)!.id)
    await expect(operations.eventsAfter('yesterday', 1)).rejects.toMatchObject({
      code: 'GRAFT_OPTION_INVALID',
    })
  })
})

// Helpers

/** What operators asked for, oldest first; of what was refused, what that was. */
async function auditOf(store: Store): Promise<[string, unknown][]> {
  const entries = (await store.readAudit(100)).reverse()
  return entries
    .filter(({ actor }) => actor === OPERATOR)
    .map(({ action, details }) => [action, (details as { asked?: string }).asked])
}
