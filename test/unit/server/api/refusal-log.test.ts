import { describe, expect, it, vi } from 'vitest'
import { createRefusalLog, type Refusal } from '../../../../server/api/refusal-log.ts'

const REFUSAL: Refusal = {
  actor: 'operator:unknown',
  address: '10.0.0.1',
  code: 'GRAFT_SIGNED_OUT',
  route: 'POST /api/v1/runs',
}

describe('createRefusalLog', () => {
  it('should write the first refusal at once, and those of the minute behind it as one entry', async () => {
    vi.useFakeTimers()
    const written: unknown[] = []
    const log = createRefusalLog(async ({ details }) => void written.push(details), fail)
    for (let i = 0; i < 1000; i++) log.note(REFUSAL)
    expect(written).toMatchObject([{ code: 'GRAFT_SIGNED_OUT', count: 1 }])
    await vi.advanceTimersByTimeAsync(60_000)
    expect(written).toMatchObject([{ count: 1 }, { count: 999, address: '10.0.0.1' }])
    log.note(REFUSAL)
    expect(written).toHaveLength(3)
    vi.useRealTimers()
  })

  it('should stay small when everything differs', async () => {
    const written: { count: number }[] = []
    const log = createRefusalLog(
      async ({ details }) => void written.push(details as { count: number }),
      fail,
    )
    for (let i = 0; i < 5000; i++) log.note({ ...REFUSAL, address: `10.0.0.${i}` })
    await log.close()
    expect(written.length).toBe(101)
    expect(written.reduce((sum, { count }) => sum + count, 0)).toBe(5000)
  })

  it('should tell of an audit log that cannot be written', async () => {
    const faults: Error[] = []
    const log = createRefusalLog(
      () => Promise.reject(new Error('no database')),
      (error) => faults.push(error),
    )
    log.note(REFUSAL)
    await log.close()
    expect(faults).toMatchObject([{ message: 'no database' }])
  })
})

function fail(error: Error): never {
  throw error
}
