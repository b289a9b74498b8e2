import { readdir, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createClientHandlers } from '../../../../server/coordinator/client-handlers.ts'
import { createBoard } from '../../../../server/coordinator/live/board.ts'
import type { Round } from '../../../../server/coordinator/run-round.ts'
import {
  type RoundEvent,
  type RoundState,
  startRound,
  step,
} from '../../../../server/coordinator/round-state.ts'
import { createSession, type Federation } from '../../../../server/coordinator/session.ts'
import type { Workbench } from '../../../../server/coordinator/workbench.ts'
import type { Inspection } from '../../../../server/gateway/gateway.ts'
import { openBlobs } from '../../../../server/store/blobs.ts'
import { openQuarantineFolder } from '../../../../server/store/quarantine-folder.ts'
import { openStore } from '../../../../server/store/open-store.ts'
import type { Store } from '../../../../server/store/store.ts'
import { GraftError } from '../../../../shared/errors.ts'
import { ClientId, RoundNumber } from '../../../../shared/ids.ts'
import { RUN, UNINSPECTED } from '../../../support/test-gateway.ts'
import { createTemporaryFolder, type TemporaryFolder } from '../../../support/temporary-folder.ts'
import { hashOf, received, TOY_NETWORK, TOY_SETTINGS, toyUpdate } from '../../../support/toy-run.ts'

const [ada, bob, eve] = ['ada', 'bob', 'eve'].map((name) => ClientId.parse(name)) as [
  ClientId,
  ClientId,
  ClientId,
]
const round1 = RoundNumber.parse(1)
const READY = { numExamples: 10, classCounts: [4, 3, 2, 1] as [number, ...number[]] }

const FINDS_FAULT: Inspection = {
  ...UNINSPECTED,
  finish() {
    throw new GraftError('GRAFT_NOT_FINITE', 'It is bad.')
  },
}

describe('createClientHandlers', () => {
  let folder: TemporaryFolder
  let store: Store

  beforeAll(async () => {
    folder = await createTemporaryFolder()
    store = await openStore({ databaseUrl: undefined, folder: folder.path })
  })

  afterAll(async () => {
    await store.close()
    await folder[Symbol.asyncDispose]()
  })

  it('should tell a client its run and settings', async () => {
    const { handlers } = await open()
    expect(await handlers.onJoin(ada)).toEqual({
      run: RUN,
      clientId: ada,
      settings: TOY_SETTINGS,
    })
  })

  it('should let nobody in before a round has begun', async () => {
    let isAsked = false
    const findToken = async () => {
      isAsked = true
      return null
    }
    const { handlers, session } = await open({ store: { ...store, findToken } })
    const admitted = handlers.admit(
      { protocol: 1, token: 'no token', name: ada, version: '0', engine: 'test' },
      { address: '10.0.0.9' },
    )
    await new Promise(setImmediate)
    expect(isAsked).toBe(false)
    session.begin()
    await expect(admitted).rejects.toMatchObject({ code: 'GRAFT_TOKEN_INVALID' })
  })

  it('should tell the round who is ready and who left', async () => {
    const { handlers, session, events, shown } = await open()
    await handlers.onReady(ada, READY)
    expect([...session.ready]).toEqual([ada])
    handlers.onLeft(ada)
    expect([...session.ready]).toEqual([])
    expect(events).toEqual([
      { type: 'client-ready', round: 1, client: ada },
      { type: 'client-left', round: 1, client: ada },
    ])
    expect(shown).toEqual(['ada ready', 'ada away'])
  })

  it('should remember who is ready between two rounds', async () => {
    const { handlers, session } = await open()
    session.round = null
    await handlers.onReady(ada, READY)
    expect([...session.ready]).toEqual([ada])
  })

  it('should give out offered blobs only, and count the bytes', async () => {
    const { handlers, session, blobs } = await open()
    const [offered, secret] = [
      await blobs.put(new Uint8Array(10)),
      await blobs.put(new Uint8Array(9)),
    ]
    session.offered.set(offered, { id: offered, sizeBytes: 10 })

    expect(await handlers.readBlob(ada, { id: offered, offset: 4, length: 5 })).toHaveLength(5)
    expect(session.record.bytesDown).toBe(5)
    await expect(
      handlers.readBlob(ada, { id: secret, offset: 0, length: 1 }),
    ).rejects.toMatchObject({
      code: 'GRAFT_BLOB_UNKNOWN',
    })
    expect(session.record.bytesDown).toBe(5)
  })

  it.each([
    { case: 'a stranger', client: eve, round: 1, sizeBytes: 10, code: 'GRAFT_NOT_IN_COHORT' },
    { case: 'another round', client: ada, round: 2, sizeBytes: 10, code: 'GRAFT_ROUND_STALE' },
    {
      case: 'too many bytes',
      client: ada,
      round: 1,
      sizeBytes: 2e6,
      code: 'GRAFT_UPLOAD_TOO_LARGE',
    },
  ])('should refuse $case before any byte', async ({ client, round, sizeBytes, code }) => {
    const { handlers } = await openCollecting()
    const sha256 = hashOf(new Uint8Array())
    const begin = { round: RoundNumber.parse(round), sizeBytes, sha256 }
    expect(() => handlers.checkUpdate(client, begin)).toThrow(expect.objectContaining({ code }))
    expect(() => handlers.checkUpdate(ada, { round: round1, sizeBytes: 1e6, sha256 })).not.toThrow()
  })

  it('should store a good update, tell the round, and note it', async () => {
    const { handlers, events, blobs, upload } = await openCollecting()
    const update = await upload('a')
    await handlers.onUpdate(ada, update)
    expect(events.at(-1)).toMatchObject({
      type: 'update-received',
      client: ada,
      update: { blob: update.blob.id, numExamples: 10, sizeBytes: update.blob.sizeBytes },
    })
    expect(await blobs.has(update.blob.id)).toBe(true)
    expect((await store.readAudit(1))[0]).toMatchObject({
      actor: 'client:ada',
      action: 'update:accepted',
      details: { round: 1, blob: update.blob.id },
    })
  })

  it('should answer a second update without storing or noting it', async () => {
    const { handlers, events, blobs, upload } = await openCollecting()
    await handlers.onUpdate(ada, await upload('a'))
    const before = { events: events.length, audit: await store.readAudit(1) }
    const second = await upload('another')
    await handlers.onUpdate(ada, second)
    expect({ events: events.length, audit: await store.readAudit(1) }).toEqual(before)
    expect(await blobs.has(second.blob.id)).toBe(false)
  })

  it('should set a bad update aside, note why, and not tell the round', async () => {
    const { handlers, events, home, blobs, upload } = await openCollecting()
    const update = await upload('bad')
    const before = events.length
    await expect(handlers.onUpdate(ada, update)).rejects.toMatchObject({ code: 'GRAFT_NOT_FINITE' })
    const file = `ada.1.${update.blob.id}.safetensors`
    expect(await readdir(join(home, 'quarantine'))).toEqual([file])
    expect(await blobs.has(update.blob.id)).toBe(false)
    expect(events).toHaveLength(before)
    expect((await store.readAudit(1))[0]).toMatchObject({
      actor: 'client:ada',
      action: 'update:quarantined',
      details: { round: 1, file, code: 'GRAFT_NOT_FINITE', problem: 'It is bad.' },
    })
  })

  it('should set nothing aside before the reason is noted', async () => {
    const audit = () =>
      Promise.reject(new GraftError('GRAFT_DATABASE_UNAVAILABLE', 'The database is gone.'))
    const { handlers, home, upload } = await openCollecting({ store: { ...store, audit } })
    const update = await upload('bad')
    await expect(handlers.onUpdate(ada, update)).rejects.toThrow('GRAFT_DATABASE_UNAVAILABLE')
    expect(await openQuarantineFolder(join(home, 'quarantine')).list()).toEqual([])
  })

  it('should keep the newest refused updates of each client, so that none fills the disk', async () => {
    const { handlers, home } = await openCollecting()
    const fileOf = (client: ClientId, n: number) =>
      `${client}.1.${hashOf(Buffer.of(n))}.safetensors`
    const refuse = async (client: ClientId, n: number) => {
      const path = join(home, `${client}.part`)
      await writeFile(path, toyUpdate('bad').bytes)
      await utimes(path, n, n)
      const update = {
        ...received(toyUpdate('bad'), path),
        inspection: FINDS_FAULT,
        blob: { id: hashOf(Buffer.of(n)), sizeBytes: 1 },
      }
      await expect(handlers.onUpdate(client, update)).rejects.toMatchObject({
        code: 'GRAFT_NOT_FINITE',
      })
    }
    await refuse(bob, 1)
    for (let n = 1; n <= 20; n++) await refuse(ada, n)
    const kept = Array.from({ length: 16 }, (_, i) => fileOf(ada, i + 5))
    const expected = [...kept, fileOf(bob, 1)]
    expect((await readdir(join(home, 'quarantine'))).sort()).toEqual(expected.sort())
  })

  it('should pass on the refusal when the deadline passed during the commit', async () => {
    const { handlers, move, session, upload } = await openCollecting()
    await handlers.onUpdate(bob, await upload('b'))
    const late = handlers.onUpdate(ada, await upload('a'))
    move({ type: 'deadline-passed', round: round1 })
    await expect(late).rejects.toMatchObject({ code: 'GRAFT_ROUND_STALE' })
    expect(session.round?.state.phase).not.toBe('collecting')
  })

  it('should keep evaluations of this round only', async () => {
    const { handlers, session } = await open()
    const report = { accuracy: 0.5, loss: 1, numExamples: 3 }
    handlers.onEvaluation(ada, { round: RoundNumber.parse(2), ...report })
    handlers.onEvaluation(bob, { round: round1, ...report })
    expect([...session.record.evaluations.keys()]).toEqual([bob])
  })

  /** Handlers in round 1, which recruits; `move` is the round's own step. */
  async function open(changes: Partial<Federation> = {}) {
    const home = join(folder.path, String(Math.round(performance.now() * 1000)))
    const blobs = await openBlobs(join(home, 'blobs'))
    const shown: string[] = []
    const events: RoundEvent[] = []
    let state: RoundState = startRound(round1)
    const move = (event: RoundEvent) => {
      const next = step({ cohortSize: 2, quorum: 1, goal: 2 }, state, event)
      state = next.state
      events.push(event)
      return next.effects
    }
    const round = {
      get state() {
        return state
      },
      dispatch: async (event: RoundEvent) => move(event),
    } as Round
    const display = {
      clientState: (client: string, { state: now }: { state: string }) =>
        shown.push(`${client} ${now}`),
    }
    const workbench = {
      architecture: TOY_NETWORK,
      maxUpdateBytes: 1e6,
      inspectUpdate: () => UNINSPECTED,
    } as Partial<Workbench>
    const federation = {
      settings: TOY_SETTINGS,
      store,
      blobs,
      workbench,
      display,
      board: createBoard({ engine: 'test', staysForRuns: false }),
      quarantineFiles: openQuarantineFolder(join(home, 'quarantine')),
      ...changes,
    } as unknown as Federation
    const session = createSession({
      id: RUN,
      number: 1,
      settings: TOY_SETTINGS,
      status: 'running',
      createdAt: new Date(0),
    })
    session.round = round
    const handlers = createClientHandlers(federation, session)

    async function upload(seed: string) {
      const update = toyUpdate(seed)
      const path = join(home, `${seed}.part`)
      await writeFile(path, update.bytes)
      return { ...received(update, path), ...(seed === 'bad' && { inspection: FINDS_FAULT }) }
    }
    return { handlers, session, events, shown, blobs, home, move, upload }
  }

  async function openCollecting(changes: Partial<Federation> = {}) {
    const opened = await open(changes)
    for (const client of [ada, bob]) await opened.handlers.onReady(client, READY)
    return opened
  }
})
