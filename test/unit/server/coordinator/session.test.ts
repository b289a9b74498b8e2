import { describe, expect, it } from 'vitest'
import { createSession } from '../../../../server/coordinator/session.ts'
import { RUN } from '../../../support/test-gateway.ts'
import { TOY_SETTINGS } from '../../../support/toy-run.ts'

describe('createSession', () => {
  it('should begin between two rounds, with nobody ready and nothing to pull', () => {
    const run = {
      id: RUN,
      number: 1,
      settings: TOY_SETTINGS,
      status: 'running',
      createdAt: new Date(0),
    } as const
    const session = createSession(run)
    expect(session).toMatchObject({ run, round: null, proxy: null })
    expect(session.ready.size + session.offered.size + session.record.evaluations.size).toBe(0)
    expect(createSession(run).ready).not.toBe(session.ready)
  })
})
