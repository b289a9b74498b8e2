import { describe, expect, it } from 'vitest'
import { createFlow, type Flow } from '../../../../server/gateway/flow.ts'
import { ClientId } from '../../../../shared/ids.ts'

const [ada, bob, cleo] = ['ada', 'bob', 'cleo'].map((name) => ClientId.parse(name)) as [
  ClientId,
  ClientId,
  ClientId,
]
/** Longer than any test runs. */
const FOREVER = 3_600_000

/** Notes in which order clients are let in. */
function door(flow: Flow<ClientId>) {
  const inside: ClientId[] = []
  return {
    inside,
    enter: (client: ClientId, bytes: number) =>
      flow.enter(client, bytes).then(() => void inside.push(client)),
    settled: () => new Promise(setImmediate),
  }
}

describe('createFlow', () => {
  it('should let in who finds room, and the next one when others are through', async () => {
    const flow = createFlow<ClientId>({ mostBytes: 10, lapseMs: FOREVER })
    const { inside, enter, settled } = door(flow)
    await Promise.all([enter(ada, 4), enter(bob, 6)])
    void enter(cleo, 5)
    flow.expect(bob, 2)
    await settled()
    expect(inside).toEqual([ada, bob])

    flow.expect(bob, 1)
    await settled()
    expect(inside).toEqual([ada, bob, cleo])
  })

  it('should let nobody in before who asked first', async () => {
    const flow = createFlow<ClientId>({ mostBytes: 10, lapseMs: FOREVER })
    const { inside, enter, settled } = door(flow)
    await enter(ada, 9)
    void enter(bob, 9)
    void enter(cleo, 1)
    await settled()
    expect(inside).toEqual([ada])

    flow.expect(ada, 0)
    await settled()
    expect(inside).toEqual([ada, bob, cleo])
  })

  it('should let in who sends more than all may, when nobody else does', async () => {
    const flow = createFlow<ClientId>({ mostBytes: 10, lapseMs: FOREVER })
    const { inside, enter, settled } = door(flow)
    await enter(ada, 100)
    void enter(bob, 1)
    await settled()
    expect(inside).toEqual([ada])
  })

  it('should not let others wait for one from whom nothing comes', async () => {
    const { inside, enter } = door(createFlow<ClientId>({ mostBytes: 10, lapseMs: 1 }))
    await enter(ada, 10)
    await enter(bob, 10)
    await enter(cleo, 10)
    expect(inside).toEqual([ada, bob, cleo])
  })

  it('should wait for what is held, however long it takes', async () => {
    const flow = createFlow<ClientId>({ mostBytes: 10, lapseMs: 1 })
    const { inside, enter } = door(flow)
    await enter(ada, 10)
    flow.hold(ada)
    const bobs = enter(bob, 1)
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(inside).toEqual([ada])

    flow.expect(ada, 9)
    await bobs
    expect(inside).toEqual([ada, bob])
  })

  it('should let everybody in once it is open', async () => {
    const flow = createFlow<ClientId>({ mostBytes: 10, lapseMs: FOREVER })
    const { inside, enter } = door(flow)
    const all = Promise.all([enter(ada, 10), enter(bob, 10)])
    flow.open()
    await all
    await enter(cleo, 10)
    expect(inside).toEqual([ada, bob, cleo])
  })
})
