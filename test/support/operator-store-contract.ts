import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { Store } from '../../server/store/store.ts'
import { createSecret } from '../../server/store/token.ts'
import { BlobId, ClientId, RoundNumber } from '../../shared/ids.ts'
import { SETTINGS } from './store-settings.ts'

const HOUR_MS = 3_600_000
const soon = () => new Date(Date.now() + HOUR_MS)
const before = () => new Date(Date.now() - HOUR_MS)

/** What every store promises of sessions, requests and lists of operators. */
export function describeOperatorStore(store: () => Store): void {
  const anOperator = (
    role: 'viewer' | 'operator' | 'admin' = 'operator',
    secret = createSecret(),
  ) =>
    store().createToken({
      secret,
      kind: 'operator',
      clientId: null,
      role,
      label: `an ${role}`,
      expiresAt: null,
    })
  const open = async (tokenId: string, expiresAt = soon()) => {
    const secret = createSecret()
    const session = await store().sessions.open({ secret, tokenId, userAgent: 'test', expiresAt })
    return { secret, session }
  }

  describe('roles', () => {
    it('should give an operator token the role that is said, admin when none is, and others none', async () => {
      expect(await anOperator('viewer')).toMatchObject({ role: 'viewer' })
      const made = { kind: 'operator', clientId: null, label: 'x', expiresAt: null } as const
      expect(await store().createToken({ ...made, secret: createSecret() })).toMatchObject({
        role: 'admin',
      })
      const join = { ...made, kind: 'join' } as const
      expect(await store().createToken({ ...join, secret: createSecret() })).toMatchObject({
        role: null,
      })
    })
  })

  describe('rotation', () => {
    it('should take the new secret at once, and the old one until its grace is over', async () => {
      const [old, next, later] = [createSecret(), createSecret(), createSecret()]
      const { id } = await anOperator('operator', old)
      const rotated = await store().rotateToken(id, { secret: next, previousUntil: soon() })
      expect(rotated).toMatchObject({ id, role: 'operator' })
      expect(Object.values(rotated!)).not.toContain(next)
      expect(await store().findToken(next)).toMatchObject({ id })
      expect(await store().findToken(old)).toMatchObject({ id })

      await store().rotateToken(id, { secret: later, previousUntil: before() })
      expect(await store().findToken(later)).toMatchObject({ id })
      expect(await store().findToken(next)).toBeNull()
      expect(await store().findToken(old)).toBeNull()
    })

    it('should end both secrets with the token, and rotate none that is revoked', async () => {
      const [old, next] = [createSecret(), createSecret()]
      const { id } = await anOperator('operator', old)
      await store().rotateToken(id, { secret: next, previousUntil: soon() })
      await store().revokeToken(id)
      expect(await store().findToken(old)).toBeNull()
      expect(await store().findToken(next)).toBeNull()
      const again = { secret: createSecret(), previousUntil: soon() }
      expect(await store().rotateToken(id, again)).toBeNull()
      expect(await store().rotateToken('no id', again)).toBeNull()
    })
  })

  describe('sessions', () => {
    it('should find a session by its secret, with the role of its token, until it is ended', async () => {
      const token = await anOperator('viewer')
      const { secret, session } = await open(token.id)
      expect(await store().sessions.find(secret, before())).toEqual(session)
      expect(session).toMatchObject({ tokenId: token.id, label: token.label, role: 'viewer' })
      expect(Object.values(session)).not.toContain(secret)

      expect(await store().sessions.end(session.id)).toBe(true)
      expect(await store().sessions.end(session.id)).toBe(false)
      expect(await store().sessions.find(secret, before())).toBeNull()
    })

    it('should end every session of a token with it', async () => {
      const token = await anOperator()
      const { secret } = await open(token.id)
      await store().revokeToken(token.id)
      expect(await store().sessions.find(secret, before())).toBeNull()
    })

    it('should not find a session that has expired, or that nobody used', async () => {
      const token = await anOperator()
      const expired = await open(token.id, before())
      expect(await store().sessions.find(expired.secret, before())).toBeNull()
      const { secret, session } = await open(token.id)
      expect(await store().sessions.find(secret, soon())).toBeNull()
      await store().sessions.touch(session.id)
      const listed = (await store().sessions.list(before())).filter((it) => it.tokenId === token.id)
      expect(listed.map(({ id }) => id)).toEqual([session.id])
    })
  })

  describe('sign-in links', () => {
    it('should let one of several use a link, once, before it expires', async () => {
      const secret = createSecret()
      await store().signInLinks.create({ secret, expiresAt: soon() })
      const tries = await Promise.all([1, 2, 3].map(() => store().signInLinks.use(secret)))
      expect(tries.filter(Boolean)).toHaveLength(1)
      const late = createSecret()
      await store().signInLinks.create({ secret: late, expiresAt: before() })
      expect(await store().signInLinks.use(late)).toBe(false)
      expect(await store().signInLinks.use(createSecret())).toBe(false)
    })
  })

  describe('requests', () => {
    const claim = (id: string, fingerprint = 'a', keptSince = before()) =>
      store().requests.claim({ id, fingerprint: fingerprint.padEnd(64, '0'), keptSince })

    it('should let one of several take an id, and give the others its answer', async () => {
      const id = randomUUID()
      const claims = await Promise.all([1, 2, 3].map(() => claim(id)))
      expect(claims.map(({ state }) => state).sort()).toEqual(['new', 'open', 'open'])
      await store().requests.answer(id, { status: 201, body: { made: true } })
      expect(await claim(id)).toEqual({ state: 'answered', status: 201, answer: { made: true } })
      expect(await claim(id, 'b')).toEqual({ state: 'foreign' })
    })

    it('should give an id free when its wish was refused, or long ago', async () => {
      const id = randomUUID()
      await claim(id)
      await store().requests.drop(id)
      expect(await claim(id)).toEqual({ state: 'new' })
      await store().requests.answer(id, { status: 204, body: undefined })
      await store().requests.drop(id)
      expect(await claim(id)).toEqual({ state: 'answered', status: 204, answer: null })
      expect(await claim(id, 'b', soon())).toEqual({ state: 'new' })
    })
  })

  describe('lists', () => {
    const blob = (letter: string) => BlobId.parse(letter.repeat(64))
    const round = (n: number) => RoundNumber.parse(n)
    const client = ClientId.parse('lister')
    const score = { accuracy: 0.5, loss: 1 }

    /** Only its second round measures what clients bring. */
    async function aRun(rounds: number) {
      const { id } = await store().createRun(SETTINGS)
      for (let n = 1; n <= rounds; n++) {
        const report = {
          round: n,
          cohort: 2,
          uploads: 1,
          fused: score,
          tuned: score,
          controls: { ensemble: null },
          seconds: {},
          bytes: { up: 1, down: 2 },
          parents: [
            { client, ...score, ...(n === 2 && { contribution: -0.125 }) },
            { client: 'other', accuracy: 0.75 },
          ],
          evaluations: [{ client, accuracy: 0.25 }],
          published: { ...score, modelSha256: blob('c') },
        }
        const ledger = { parents: [client] }
        await store().saveModel({ run: id, round: round(n), blob: blob('c'), report, ledger })
        await store().appendEvent(id, { type: 'deadline-passed', round: n })
      }
      return id
    }

    it('should page through runs, newest first, by status', async () => {
      const [first, second] = [await aRun(0), await aRun(2)]
      await store().setRunStatus(second, 'finished')
      const [newest] = await store().lists.runs({ limit: 1 })
      expect(newest).toMatchObject({ id: second, status: 'finished', rounds: 2 })
      expect(newest).toMatchObject({ published: { accuracy: 0.5 }, settings: SETTINGS })
      const next = await store().lists.runs({ limit: 1, before: newest!.number })
      expect(next).toMatchObject([{ id: first, rounds: 0, published: null }])
      const finished = await store().lists.runs({ limit: 1, status: 'running' })
      expect(finished).toMatchObject([{ id: first }])
      expect(await store().lists.run(first)).toMatchObject({ id: first })
      await store().setRunStatus(first, 'finished')
    })

    it('should page through rounds cut down to curves, and give one in full', async () => {
      const run = await aRun(3)
      const page = await store().lists.rounds({ run, after: 1, limit: 1 })
      expect(page).toMatchObject([{ round: 2, cohort: 2, bestParent: 0.75, bytes: { up: 1 } }])
      expect(Object.keys(page[0] as object)).not.toContain('parents')
      expect(await store().lists.report(run, round(2))).toMatchObject({ uploads: 1 })
      expect(await store().lists.ledger(run, round(2))).toEqual({ parents: [client] })
      expect(await store().lists.report(run, round(9))).toBeNull()
      await store().setRunStatus(run, 'finished')
    })

    it('should page through the events of all runs, in one order', async () => {
      const [first, second] = [await aRun(2), await aRun(2)]
      const ours = (await store().lists.run(first))!.number
      const after = { runNumber: ours, seq: 1 }
      const all = await store().lists.events({ after, limit: 2 })
      expect(all.map(({ run, seq }) => [run, seq])).toEqual([
        [first, 2],
        [second, 1],
      ])
      for (const id of [first, second]) await store().setRunStatus(id, 'finished')
    })

    it('should page through models and what a client did, newest first', async () => {
      const run = await aRun(2)
      const [newest] = await store().lists.models({ run, limit: 1 })
      expect(newest).toMatchObject({ run, round: 2, published: { accuracy: 0.5 } })
      expect(newest!.createdAt).toBeInstanceOf(Date)
      const { runNumber, round: last } = newest!
      const next = await store().lists.models({ before: { runNumber, round: last }, limit: 1 })
      expect(next).toMatchObject([{ run, round: 1 }])
      expect((await store().lists.modelsOf(blob('c')))[0]).toMatchObject({ run, round: 2 })
      expect(await store().lists.modelsOf(blob('d'))).toEqual([])
      const before = { runNumber, round: last }
      expect(await store().lists.clientRounds({ client, before, limit: 1 })).toMatchObject([
        { run, round: 1, parent: { accuracy: 0.5 }, evaluation: 0.25 },
      ])
      await store().setRunStatus(run, 'finished')
    })

    it('should tell what clients brought to the newest round that measured it', async () => {
      const run = await aRun(3)
      const { number: runNumber } = (await store().lists.run(run))!
      const brought = new Map([[client, -0.125]])
      expect(await store().lists.contributions(null)).toEqual(brought)
      expect(await store().lists.contributions({ runNumber, round: 1 })).toEqual(brought)
      expect(await store().lists.contributions({ runNumber, round: 2 })).toEqual(new Map())
      await store().setRunStatus(run, 'finished')
    })

    it('should page through the audit log by actor, action and time', async () => {
      const actor = `operator:${randomUUID()}`
      const since = new Date()
      for (const n of [1, 2, 3]) await store().audit({ actor, action: `test:${n % 2}`, details: n })
      const list = (filter: object) => store().lists.audit({ actor, limit: 9, ...filter })
      const [newest, ...older] = await list({})
      expect([newest, ...older].map((it) => it?.details)).toEqual([3, 2, 1])
      expect(await list({ before: newest!.id, limit: 1 })).toMatchObject([{ details: 2 }])
      expect(await list({ action: 'test:0' })).toMatchObject([{ details: 2 }])
      expect(await list({ until: since })).toEqual([])
      expect(await list({ since })).toHaveLength(3)
    })
  })
}
