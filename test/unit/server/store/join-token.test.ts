import { afterEach, beforeAll, afterAll, describe, expect, it } from 'vitest'
import { ensureJoinToken } from '../../../../server/store/join-token.ts'
import { openStore } from '../../../../server/store/open-store.ts'
import type { Store } from '../../../../server/store/store.ts'
import { createTemporaryFolder, type TemporaryFolder } from '../../../support/temporary-folder.ts'

const GIVEN = 'a-join-token-from-the-operator'

describe('ensureJoinToken', () => {
  let folder: TemporaryFolder
  let store: Store

  beforeAll(async () => {
    folder = await createTemporaryFolder()
    store = await openStore({ databaseUrl: undefined, folder: folder.path })
  })

  afterEach(async () => {
    for (const { id } of await store.listTokens()) await store.revokeToken(id)
  })

  afterAll(async () => {
    await store.close()
    await folder[Symbol.asyncDispose]()
  })

  it('should make a token once, and not again while it is valid', async () => {
    const made = await ensureJoinToken(store, undefined)
    expect(made?.isNew).toBe(true)
    expect(await store.findToken(made!.secret)).toMatchObject({ kind: 'join', clientId: null })
    expect(await ensureJoinToken(store, undefined)).toBeNull()
  })

  it.each([
    { case: 'revoked', expiresAt: null },
    { case: 'too old', expiresAt: new Date(Date.now() - 1000) },
  ])('should make another when the one there is was $case', async ({ case: what, expiresAt }) => {
    const { id } = await aToken({ kind: 'join', secret: `join-${what}`, expiresAt })
    if (what === 'revoked') await store.revokeToken(id)
    expect(await ensureJoinToken(store, undefined)).toMatchObject({ isNew: true })
  })

  it('should not count another kind of token', async () => {
    await aToken({ kind: 'operator', secret: 'an-operator' })
    expect(await ensureJoinToken(store, undefined)).toMatchObject({ isNew: true })
  })

  it('should take the secret given, now and at the next start', async () => {
    const given = { secret: GIVEN, isNew: false }
    expect(await ensureJoinToken(store, GIVEN)).toEqual(given)
    const before = (await store.listTokens()).length
    expect(await ensureJoinToken(store, GIVEN)).toEqual(given)
    expect(await store.listTokens()).toHaveLength(before)
    expect(await store.findToken(GIVEN)).toMatchObject({ kind: 'join', label: 'given at start' })
  })

  it('should refuse a secret that was revoked', async () => {
    const { id } = await aToken({ kind: 'join', secret: 'a-revoked-secret' })
    await store.revokeToken(id)
    await expect(ensureJoinToken(store, 'a-revoked-secret')).rejects.toMatchObject({
      code: 'GRAFT_TOKEN_INVALID',
    })
  })

  it('should refuse a secret that is for something else, without repeating it', async () => {
    await aToken({ kind: 'operator', secret: 'of-an-operator' })
    const refused = ensureJoinToken(store, 'of-an-operator')
    await expect(refused).rejects.toMatchObject({ problem: expect.stringContaining('operators') })
    await expect(refused).rejects.not.toThrow(/of-an-operator/)
  })

  function aToken(token: { kind: 'join' | 'operator'; secret: string; expiresAt?: Date | null }) {
    return store.createToken({
      clientId: null,
      label: 'trial',
      ...token,
      expiresAt: token.expiresAt ?? null,
    })
  }
})
