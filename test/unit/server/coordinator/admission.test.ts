import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { admit } from '../../../../server/coordinator/admission.ts'
import { openStore } from '../../../../server/store/open-store.ts'
import type { Store, TokenKind } from '../../../../server/store/store.ts'
import { createSecret } from '../../../../server/store/token.ts'
import { ClientId } from '../../../../shared/ids.ts'
import type { ClientAuth } from '../../../../shared/protocol/messages.ts'
import { createTemporaryFolder, type TemporaryFolder } from '../../../support/temporary-folder.ts'

const PEER = { address: '10.0.0.9' }

describe('admit', () => {
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

  it('should admit any name with a join token, note it, and admit it again', async () => {
    const token = await aToken('join')
    expect(await admit(store, auth(token, 'ada'), PEER)).toBe('ada')
    expect(await newestAudit()).toMatchObject({
      actor: 'client:ada',
      action: 'client:admitted',
      details: { version: '0.1.0', engine: 'wasm', token: 'trial', address: '10.0.0.9' },
    })
    expect(await admit(store, auth(token, 'ada'), PEER)).toBe('ada')
    expect(await admit(store, auth(token, 'bob'), PEER)).toBe('bob')
  })

  it('should refuse a name that joined with another token', async () => {
    await admit(store, auth(await aToken('join'), 'carol'), PEER)
    const second = admit(store, auth(await aToken('join'), 'carol'), PEER)
    await expect(second).rejects.toMatchObject({ code: 'GRAFT_CLIENT_NAME_TAKEN' })
    expect(await newestAudit()).toMatchObject({
      actor: 'client:carol',
      action: 'client:refused',
      details: { reason: expect.stringContaining('carol') },
    })
  })

  it('should name a client by its own token', async () => {
    const token = await aToken('client', 'dan')
    expect(await admit(store, auth(token), PEER)).toBe('dan')
    expect(await admit(store, auth(token, 'dan'), PEER)).toBe('dan')
  })

  it.each([
    { case: 'an unknown token', make: async () => auth('nobody', 'eve'), says: 'not know this' },
    {
      case: 'an operator’s token',
      make: async () => auth(await aToken('operator'), 'eve'),
      says: 'not know this',
    },
    {
      case: 'another name than its token’s',
      make: async () => auth(await aToken('client', 'fay'), 'eve'),
      says: 'for client fay, not for eve',
    },
    {
      case: 'a join token without a name',
      make: async () => auth(await aToken('join')),
      says: 'with --name NAME',
    },
  ])('should refuse $case and note why', async ({ make, says }) => {
    const given = await make()
    await expect(admit(store, given, PEER)).rejects.toMatchObject({
      code: 'GRAFT_TOKEN_INVALID',
      problem: expect.stringContaining(says),
    })
    expect(await newestAudit()).toMatchObject({
      actor: `client:${given.name ?? 'unnamed'}`,
      action: 'client:refused',
      details: { reason: expect.stringContaining(says) },
    })
    expect((await store.listClients()).map(({ id }) => id)).not.toContain('eve')
  })

  it('should never write a token into the audit log', async () => {
    const token = await aToken('join')
    await admit(store, auth(token, 'gus'), PEER)
    await admit(store, auth('a-wrong-secret', 'gus'), PEER).catch(() => undefined)
    const log = JSON.stringify(await store.readAudit(100))
    expect(log).toContain('client:gus')
    expect(log).not.toContain(token)
    expect(log).not.toContain('a-wrong-secret')
  })

  async function aToken(kind: TokenKind, client?: string): Promise<string> {
    const secret = createSecret()
    const clientId = client === undefined ? null : ClientId.parse(client)
    await store.createToken({ secret, kind, clientId, label: 'trial', expiresAt: null })
    return secret
  }

  async function newestAudit() {
    return (await store.readAudit(1))[0]
  }
})

// Helpers

function auth(token: string, name?: string): ClientAuth {
  const named = name === undefined ? {} : { name: ClientId.parse(name) }
  return { protocol: 1, token, ...named, version: '0.1.0', engine: 'wasm' }
}
