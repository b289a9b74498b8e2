import { describe, expect, it } from 'vitest'
import { sayFarewell } from '../../../../server/coordinator/farewell.ts'
import { createSession } from '../../../../server/coordinator/session.ts'
import type { RunRecord } from '../../../../server/store/store.ts'
import { ClientId, RunId } from '../../../../shared/ids.ts'

const [a, b] = ['a', 'b'].map((name) => ClientId.parse(name)) as [ClientId, ClientId]
const id = RunId.parse('00000000-0000-4000-8000-000000000001')
const message = { run: id, rounds: 1 }

describe('sayFarewell', () => {
  it('should tell everybody at once when nobody is away', async () => {
    const { farewell, told } = start({ ready: [a, b], seconds: 3600 })
    await farewell
    expect(told).toEqual([message])
  })

  it('should wait for a member that is away, and tell it when it is back', async () => {
    const { farewell, told, session } = start({ ready: [a], seconds: 3600 })
    expect(told).toHaveLength(1)
    session.arrivals.emit('ready', b)
    await farewell
    expect(told).toEqual([message, message])
    expect(session.arrivals.listenerCount('ready')).toBe(0)
  })

  it('should not wait for ever', async () => {
    const { farewell, told } = start({ ready: [a], seconds: 0.01 })
    await farewell
    expect(told).toHaveLength(1)
  })

  it('should end when the coordinator is told to', async () => {
    const stop = new AbortController()
    const { farewell } = start({ ready: [], seconds: 3600, signal: stop.signal })
    stop.abort()
    await farewell
  })
})

// Helpers

function start(given: { ready: ClientId[]; seconds: number; signal?: AbortSignal }) {
  const session = createSession({ id } as RunRecord)
  for (const client of [a, b]) session.members.add(client)
  for (const client of given.ready) session.ready.add(client)
  const told: object[] = []
  const gateway = { finished: (heard: object) => void told.push(heard) }
  const { seconds, signal = new AbortController().signal } = given
  return { session, told, farewell: sayFarewell(session, gateway, message, { seconds, signal }) }
}
