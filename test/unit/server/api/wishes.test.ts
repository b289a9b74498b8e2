import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createWishes } from '../../../../server/api/wishes.ts'
import type { Claim, RequestStore } from '../../../../server/store/operator-store.ts'

describe('createWishes', () => {
  it('should perform a wish once for several who send it at once, and later from what is stored', async () => {
    const requests = createMemory()
    const wish = { requestId: randomUUID(), of: 'a' }
    let performed = 0
    const perform = async () => ({ status: 201, body: { n: ++performed } })
    const wishes = createWishes(requests)
    const answers = await Promise.all([1, 2, 3].map(() => wishes.once(wish, perform)))
    expect(answers).toEqual(Array(3).fill({ status: 201, body: { n: 1 } }))
    // Another process: it has the store alone.
    expect(await createWishes(requests).once(wish, perform)).toEqual(answers[0])
  })

  it('should refuse an id that was given to another wish, in this process and from the store', async () => {
    const requests = createMemory()
    const requestId = randomUUID()
    const wishes = createWishes(requests)
    await wishes.once({ requestId, of: 'a' }, async () => ({ status: 200, body: 1 }))
    for (const each of [wishes, createWishes(requests)]) {
      const other = each.once({ requestId, of: 'b' }, async () => ({ status: 200, body: 2 }))
      await expect(other).rejects.toMatchObject({ code: 'GRAFT_REQUEST_REPEATED' })
    }
  })

  it('should refuse another wish under the same id while the first is performed', async () => {
    const requestId = randomUUID()
    const wishes = createWishes(createMemory())
    const first = wishes.once({ requestId, of: 'a' }, async () => ({ status: 200, body: 1 }))
    const other = wishes.once({ requestId, of: 'b' }, async () => ({ status: 200, body: 2 }))
    await expect(other).rejects.toMatchObject({ code: 'GRAFT_REQUEST_REPEATED' })
    expect(await first).toEqual({ status: 200, body: 1 })
  })

  it('should not perform again what nobody knows the end of', async () => {
    const requests = createMemory()
    const wish = { requestId: randomUUID(), of: 'a' }
    const never = new Promise<never>(() => undefined)
    void createWishes(requests).once(wish, () => never)
    const again = createWishes(requests).once(wish, async () => ({ status: 200, body: 1 }))
    await expect(again).rejects.toThrow(/before it was answered/)
  })

  it('should store no secret', async () => {
    const requests = createMemory()
    const wish = { requestId: randomUUID(), of: 'a', isSecret: true }
    const perform = async () => ({ status: 201, body: { secret: 'graft_x' } })
    const wishes = createWishes(requests)
    const first = await wishes.once(wish, perform)
    expect(await wishes.once(wish, perform)).toEqual(first)
    expect(JSON.stringify([...requests.kept.values()])).not.toContain('graft_x')
    await expect(createWishes(requests).once(wish, perform)).rejects.toThrow(/told once/)
  })

  it('should give an id free whose wish was refused', async () => {
    const wishes = createWishes(createMemory())
    const wish = { requestId: randomUUID(), of: 'a' }
    const refused = wishes.once(wish, () => Promise.reject(new Error('no')))
    await expect(refused).rejects.toThrow('no')
    const body = await wishes.once(wish, async () => ({ status: 200, body: 'yes' }))
    expect(body).toEqual({ status: 200, body: 'yes' })
  })
})

function createMemory(): RequestStore & { kept: Map<string, unknown> } {
  const kept = new Map<string, { fingerprint: string; status?: number; answer?: unknown }>()
  return {
    kept,
    claim: async ({ id, fingerprint }): Promise<Claim> => {
      const known = kept.get(id)
      if (known === undefined) {
        kept.set(id, { fingerprint })
        return { state: 'new' }
      }
      if (known.fingerprint !== fingerprint) return { state: 'foreign' }
      const { status, answer } = known
      return status === undefined ? { state: 'open' } : { state: 'answered', status, answer }
    },
    answer: async (id, { status, body }) => {
      kept.set(id, { ...kept.get(id)!, status, answer: body })
    },
    drop: async (id) => void kept.delete(id),
  }
}
