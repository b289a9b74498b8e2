import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createSecret } from '../../server/store/token.ts'
import type { Store } from '../../server/store/store.ts'
import { BlobId, ClientId, RoundNumber, RunId } from '../../shared/ids.ts'
import { describeOperatorStore } from './operator-store-contract.ts'
import { SETTINGS } from './store-settings.ts'

/** A database that outlives the stores opened on it. */
export interface StoreHost extends AsyncDisposable {
  open(): Promise<Store>
}

const HOUR_MS = 3_600_000

/** What every implementation of {@link Store} promises. */
export function describeStore(createHost: () => Promise<StoreHost>): void {
  let host: StoreHost
  let store: Store

  beforeAll(async () => {
    host = await createHost()
    store = await host.open()
  })

  afterAll(async () => {
    await store.close()
    await host[Symbol.asyncDispose]()
  })

  const aToken = (expiresAt: Date | null = null, secret = createSecret()) =>
    store.createToken({ secret, kind: 'join', clientId: null, label: 'trial', expiresAt })
  const aClient = (tokenId: string, id: ClientId = aName()) =>
    store.admitClient({ id, tokenId, version: '0.1.0', engine: 'wasm' })

  describe('leadership', () => {
    it('should let a leader write, and say who leads when it has ended', async () => {
      const own = await createHost()
      const leader = await own.open()
      const { signal } = new AbortController()
      const { lost, release } = await leader.lead({ holder: 'first', isStandby: false, signal })
      const { id } = await leader.createRun(SETTINGS)
      expect(await leader.appendEvent(id, 'led')).toBe(1)
      await leader.setRunStatus(id, 'finished')
      await expect(leader.appendEvent(RunId.parse(randomUUID()), 'x')).rejects.toThrow(RangeError)
      expect(lost.aborted).toBe(false)
      await release()
      await leader.close()
      await own[Symbol.asyncDispose]()
    })
  })

  describe('runs', () => {
    it('should give back the newest run that is not over', async () => {
      expect(await store.unfinishedRun()).toBeNull()
      const first = await store.createRun(SETTINGS)
      const second = await store.createRun({ ...SETTINGS, seed: 8 })

      expect(first.status).toBe('running')
      expect(await store.unfinishedRun()).toEqual(second)
      const failure = { code: 'GRAFT_RUN_FAILED', problem: 'No “model”.' } as const
      await store.failRun(second.id, failure)
      expect(await store.lists.run(second.id)).toMatchObject({ status: 'failed', failure })
      expect(await store.unfinishedRun()).toEqual(first)
      await store.setRunStatus(first.id, 'finished')
      expect(await store.unfinishedRun()).toBeNull()
    })

    it('should keep the settings as they were given', async () => {
      const run = await store.createRun(SETTINGS)

      expect((await store.unfinishedRun())?.settings).toEqual(SETTINGS)
      await store.setRunStatus(run.id, 'finished')
    })

    it('should refuse a run it does not know', async () => {
      const unknown = RunId.parse(randomUUID())

      await expect(store.setRunStatus(unknown, 'finished')).rejects.toThrow(RangeError)
      const failure = { code: 'GRAFT_RUN_FAILED', problem: 'Any.' } as const
      await expect(store.failRun(unknown, failure)).rejects.toThrow(RangeError)
      await expect(store.appendEvent(unknown, {})).rejects.toThrow(RangeError)
      expect(await store.readJournal(unknown)).toEqual([])
    })
  })

  describe('journal', () => {
    it('should number the events of each run from 1', async () => {
      const [a, b] = [await store.createRun(SETTINGS), await store.createRun(SETTINGS)]

      expect(await store.appendEvent(a.id, { type: 'begun' })).toBe(1)
      expect(await store.appendEvent(b.id, { type: 'begun' })).toBe(1)
      expect(await store.appendEvent(a.id, { type: 'ended' })).toBe(2)
      const events = (await store.readJournal(a.id)).map(({ seq, event }) => [seq, event])
      expect(events).toEqual([
        [1, { type: 'begun' }],
        [2, { type: 'ended' }],
      ])
    })

    it('should leave no gap and keep the order of the calls when they overlap', async () => {
      const { id } = await store.createRun(SETTINGS)
      const calls = Array.from({ length: 40 }, (_, i) => store.appendEvent(id, i))

      expect(await Promise.all(calls)).toEqual(calls.map((_, i) => i + 1))
      expect((await store.readJournal(id)).map(({ event }) => event)).toEqual(
        calls.map((_, i) => i),
      )
    })

    it('should write several events in one go, in order, or none of them', async () => {
      const { id } = await store.createRun(SETTINGS)
      const calls = [store.appendEvents(id, ['a', 'b']), store.appendEvents(id, ['c'])]
      const refused = store.appendEvents(id, ['d', undefined])
      await expect(refused).rejects.toThrow(TypeError)

      expect(await Promise.all(calls)).toEqual([2, 3])
      expect((await store.readJournal(id)).map(({ seq, event }) => [seq, event])).toEqual([
        [1, 'a'],
        [2, 'b'],
        [3, 'c'],
      ])
    })

    it('should go on after an event that is no JSON value', async () => {
      const { id } = await store.createRun(SETTINGS)
      const refused = store.appendEvent(id, undefined)
      const accepted = store.appendEvent(id, 'next')

      await expect(refused).rejects.toThrow(TypeError)
      expect(await accepted).toBe(1)
    })

    it('should read any JSON value as the very text that was written', async () => {
      const { id } = await store.createRun(SETTINGS)
      await fc.assert(
        fc.asyncProperty(fc.json(), async (text) => {
          const event: unknown = JSON.parse(text)
          const seq = await store.appendEvent(id, event)
          const read = (await store.readJournal(id)).at(-1)
          expect(read?.seq).toBe(seq)
          expect(JSON.stringify(read?.event)).toBe(JSON.stringify(event))
        }),
        { numRuns: 30, examples: [['null'], ['"\\u0000"'], ['{"b":1,"a":[1e300,-0.1]}']] },
      )
    })
  })

  describe('models', () => {
    it('should read the model of a round', async () => {
      const { id: run } = await store.createRun(SETTINGS)
      const models = [2, 0, 1].map((n) => ({
        run,
        round: RoundNumber.parse(n),
        blob: BlobId.parse(String(n).repeat(64)),
        report: n === 0 ? null : { accuracy: n / 10 },
        ledger: n === 1 ? { parents: ['ada'], groups: [] } : null,
      }))
      for (const model of models) await store.saveModel(model)

      for (const model of models) expect(await store.readModel(run, model.round)).toEqual(model)
      expect(await store.readModel(run, RoundNumber.parse(3))).toBeNull()
      const { id: other } = await store.createRun(SETTINGS)
      expect(await store.readModel(other, RoundNumber.parse(1))).toBeNull()
    })

    it('should replace a model that is saved again, as after a crash', async () => {
      const { id: run } = await store.createRun(SETTINGS)
      const model = { run, round: RoundNumber.parse(1), blob: BlobId.parse('a'.repeat(64)) }
      const again = {
        ...model,
        blob: BlobId.parse('b'.repeat(64)),
        report: { accuracy: 0.5 },
        ledger: null,
      }
      await store.saveModel({ ...model, report: {}, ledger: { parents: [] } })
      await store.saveModel(again)

      expect(await store.readModel(run, again.round)).toEqual(again)
    })
  })

  describe('blobs that a run names', () => {
    const blob = (digit: string) => BlobId.parse(digit.repeat(64))

    it('should be those of all its events and models, and of no other run', async () => {
      const { id: run } = await store.createRun(SETTINGS)
      await store.appendEvent(run, { type: 'model-fused', fused: { blob: blob('a'), of: ['b'] } })
      await store.appendEvent(run, [`${'c'.repeat(64)}, and ${blob('d')}0`, 'e'.repeat(63)])
      const report = { published: { modelSha256: blob('1') } }
      const model = { run, round: RoundNumber.parse(1), blob: blob('2'), report, ledger: null }
      await store.saveModel(model)
      const { id: other } = await store.createRun(SETTINGS)
      await store.appendEvent(other, blob('f'))

      const named = await store.namedBlobs(run, { withoutUpdatesUpTo: 0 })
      expect(named.sort()).toEqual(['1', '2', 'a', 'c'].map(blob))
    })

    it('should leave out updates that were let go of, unless something else names them', async () => {
      const { id: run } = await store.createRun(SETTINGS)
      for (const [round, id] of [
        [1, 'a'],
        [2, 'b'],
        [3, 'c'],
      ] as const) {
        const update = { blob: blob(id), sizeBytes: 1 }
        await store.appendEvent(run, { type: 'update-received', round, update })
      }
      await store.appendEvent(run, { type: 'model-chosen', round: 1, model: blob('b') })

      const named = await store.namedBlobs(run, { withoutUpdatesUpTo: 2 })
      expect(named.sort()).toEqual(['b', 'c'].map(blob))
    })
  })

  describe('tokens', () => {
    it('should find a token by its secret until it is revoked', async () => {
      const secret = createSecret()
      const token = await aToken(null, secret)

      expect(await store.findToken(secret)).toEqual(token)
      expect(await store.findToken(createSecret())).toBeNull()
      expect(await store.revokeToken(token.id)).toBe(true)
      expect(await store.findToken(secret)).toBeNull()
    })

    it('should refuse a secret that a token has or had', async () => {
      const secret = createSecret()
      const token = await aToken(null, secret)
      await store.revokeToken(token.id)

      await expect(aToken(null, secret)).rejects.toMatchObject({ code: 'GRAFT_TOKEN_INVALID' })
      expect(await store.findToken(secret)).toBeNull()
    })

    it('should not find a token that has expired', async () => {
      const [old, fresh] = [createSecret(), createSecret()]
      await aToken(new Date(Date.now() - 1000), old)
      const valid = await aToken(new Date(Date.now() + HOUR_MS), fresh)

      expect(await store.findToken(old)).toBeNull()
      expect(await store.findToken(fresh)).toEqual(valid)
    })

    it('should list every token without its secret or hash', async () => {
      const secret = createSecret()
      const token = await aToken(null, secret)
      const listed = await store.listTokens()

      expect(listed).toContainEqual(token)
      expect(Object.keys(token).sort()).toEqual(
        ['clientId', 'createdAt', 'expiresAt', 'id', 'kind', 'label', 'revokedAt', 'role'].sort(),
      )
      expect(JSON.stringify(listed)).not.toContain(secret)
    })

    it('should keep the time of the first revocation', async () => {
      const token = await aToken()
      await store.revokeToken(token.id)
      const revoked = (await store.listTokens()).find(({ id }) => id === token.id)

      expect(revoked?.revokedAt).toBeInstanceOf(Date)
      expect(await store.revokeToken(token.id)).toBe(true)
      expect((await store.listTokens()).find(({ id }) => id === token.id)).toEqual(revoked)
    })

    it('should say when there is no such token', async () => {
      expect(await store.revokeToken(randomUUID())).toBe(false)
      expect(await store.revokeToken('not-a-uuid')).toBe(false)
    })

    it('should keep a client with tokens for one client, and only with those', async () => {
      const token = { label: 'trial', expiresAt: null }
      const named = { ...token, kind: 'client', clientId: aName() } as const

      const created = await store.createToken({ ...named, secret: createSecret() })
      expect(created.clientId).toBe(named.clientId)
      await expect(
        store.createToken({ ...named, clientId: null, secret: createSecret() }),
      ).rejects.toThrow('token_client_id_check')
      await expect(
        store.createToken({ ...named, kind: 'join', secret: createSecret() }),
      ).rejects.toThrow('token_client_id_check')
    })
  })

  describe('clients', () => {
    it('should admit a name again with the same token, noting what it runs', async () => {
      const token = await aToken()
      const first = await aClient(token.id)
      const again = await store.admitClient({ ...first, version: '0.2.0', engine: 'native' })

      expect(again).toMatchObject({ id: first.id, version: '0.2.0', engine: 'native' })
      expect(again.lastSeenAt.getTime()).toBeGreaterThanOrEqual(first.lastSeenAt.getTime())
      expect((await store.listClients()).filter(({ id }) => id === first.id)).toEqual([again])
    })

    it('should refuse a name that belongs to another valid token', async () => {
      const [mine, other] = [await aToken(), await aToken(new Date(Date.now() + HOUR_MS))]
      const client = await aClient(other.id)

      await expect(aClient(mine.id, client.id)).rejects.toMatchObject({
        code: 'GRAFT_CLIENT_NAME_TAKEN',
      })
      expect((await store.listClients()).find(({ id }) => id === client.id)).toEqual(client)
    })

    it('should hand a name on when its token was revoked or has expired', async () => {
      const mine = await aToken()
      const revoked = await aToken()
      const expired = await aToken(new Date(Date.now() - 1000))
      for (const before of [revoked, expired]) {
        const { id } = await aClient(before.id)
        await store.revokeToken(revoked.id)

        expect((await aClient(mine.id, id)).tokenId).toBe(mine.id)
      }
    })

    it('should let exactly one of several tokens have a name they all want at once', async () => {
      const tokens = await Promise.all(Array.from({ length: 6 }, () => aToken()))
      const name = aName()
      const answers = await Promise.allSettled(tokens.map(({ id }) => aClient(id, name)))

      expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    })
  })

  describe('audit log', () => {
    it('should give back the newest entries, newest first', async () => {
      for (const details of [{ n: 1 }, null, 'text']) {
        await store.audit({ actor: 'coordinator', action: 'test:noted', details })
      }

      const entries = await store.readAudit(2)
      expect(entries.map(({ details }) => details)).toEqual(['text', null])
      expect(entries[0]).toMatchObject({ actor: 'coordinator', action: 'test:noted' })
      expect(entries[0]?.at).toBeInstanceOf(Date)
    })
  })

  describe('for operators', () => describeOperatorStore(() => store))

  it('should have finished what was begun when it closes, and keep it', async () => {
    const second = await reopen()
    const { id } = await second.createRun(SETTINGS)
    const pending = [second.appendEvent(id, 'a'), second.appendEvent(id, 'b')]
    await second.close()

    expect(await Promise.all(pending)).toEqual([1, 2])
    await second.close()
    store = await host.open()
    expect((await store.readJournal(id)).map(({ event }) => event)).toEqual(['a', 'b'])
  })

  /** A store of its own on the same database; the embedded one can be open only once. */
  async function reopen(): Promise<Store> {
    await store.close()
    return host.open()
  }
}

function aName(): ClientId {
  return ClientId.parse(`client-${randomUUID()}`)
}
