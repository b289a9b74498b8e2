import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createQuietAudit } from '../../../../server/store/quiet-audit.ts'
import type { AuditEntry, Store } from '../../../../server/store/store.ts'

type Entry = Omit<AuditEntry, 'at'>

describe('createQuietAudit', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: 1_000_000 })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('should write the first refusal at once and count those that follow until the minute is over', async () => {
    const { quiet, log } = open()
    for (let i = 0; i < 1000; i++) await quiet.audit(refused('ada', '10.0.0.1'))
    expect(log).toEqual([refused('ada', '10.0.0.1')])
    await vi.advanceTimersByTimeAsync(60_000)
    expect(log).toHaveLength(2)
    expect(log[1]).toMatchObject({
      actor: 'client:ada',
      action: 'client:refused',
      details: { reason: 'unknown', repeated: 999, since: new Date(1_000_000) },
    })
  })

  it('should add nothing for what happened once', async () => {
    const { quiet, log } = open()
    await quiet.audit(refused('ada', '10.0.0.1'))
    await vi.advanceTimersByTimeAsync(120_000)
    expect(log).toHaveLength(1)
  })

  it('should begin anew with each minute', async () => {
    const { quiet, log } = open()
    await quiet.audit(refused('ada', '10.0.0.1'))
    await vi.advanceTimersByTimeAsync(60_000)
    await quiet.audit(refused('ada', '10.0.0.1'))
    expect(log).toHaveLength(2)
  })

  it('should take refusals of one address for one kind, whatever names it gives', async () => {
    const { quiet, log } = open()
    for (let i = 0; i < 50; i++) await quiet.audit(refused(`name-${i}`, '10.0.0.1'))
    await quiet.audit(refused('name-0', '10.0.0.2'))
    expect(log).toHaveLength(2)
  })

  it('should bound the entries of a minute, from however many addresses', async () => {
    const { quiet, log } = open()
    for (let i = 0; i < 5000; i++) await quiet.audit(refused('ada', `10.0.${i >> 8}.${i & 255}`))
    expect(log).toHaveLength(100)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(log).toHaveLength(101)
    expect(log[100]).toMatchObject({ actor: 'coordinator', details: { repeated: 4900 } })
  })

  it('should note each client that is admitted, and its coming back in one entry', async () => {
    const { quiet, log } = open()
    const admitted = (name: string) => ({
      actor: `client:${name}`,
      action: 'client:admitted',
      details: { version: '1', address: '10.0.0.1' },
    })
    for (let i = 0; i < 300; i++) await quiet.audit(admitted(`client-${i}`))
    for (let i = 0; i < 20; i++) await quiet.audit(admitted('client-0'))
    expect(log).toHaveLength(300)
    await quiet.settle()
    expect(log).toHaveLength(301)
    expect(log[300]).toMatchObject({ actor: 'client:client-0', details: { repeated: 20 } })
  })

  it('should write everything else as it comes', async () => {
    const { quiet, log } = open()
    const action = { actor: 'operator:a', action: 'run:paused', details: {} }
    for (let i = 0; i < 5; i++) await quiet.audit(action)
    expect(log).toHaveLength(5)
  })

  it('should tell when the database does not take the count', async () => {
    const faults: unknown[] = []
    const log: Entry[] = []
    const store = {
      audit: async (entry: Entry) => {
        if (log.length > 0) throw new Error('away')
        log.push(entry)
      },
    } as unknown as Store
    const quiet = createQuietAudit(store, { onFault: (error) => faults.push(error) })
    await quiet.audit(refused('ada', '10.0.0.1'))
    await quiet.audit(refused('ada', '10.0.0.1'))
    await vi.advanceTimersByTimeAsync(60_000)
    expect(faults).toMatchObject([{ message: 'away' }])
  })
})

function open() {
  const log: Entry[] = []
  const audit = async (entry: Entry) => void log.push(entry)
  return { quiet: createQuietAudit({ audit } as unknown as Store), log }
}

function refused(name: string, address: string): Entry {
  return {
    actor: `client:${name}`,
    action: 'client:refused',
    details: { reason: 'unknown', address },
  }
}
