import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ERRORS } from '../../../shared/errors.ts'
import { RoundNumber } from '../../../shared/ids.ts'
import { TOY_SETTINGS } from '../../support/toy-run.ts'
import { startTestApi } from '../../support/test-api.ts'

let api: Awaited<ReturnType<typeof startTestApi>>
beforeAll(async () => {
  api = await startTestApi()
})
afterAll(() => api[Symbol.asyncDispose]())

describe('what has failed', () => {
  it('should say why and what to do: a run', async () => {
    const { id } = await api.store.createRun(TOY_SETTINGS)
    expect(await api.get(`/api/v1/runs/${id}`)).toMatchObject({ status: 'running', failure: null })
    const failure = { code: 'GRAFT_DATASET_UNKNOWN', problem: 'There is no “toys”.' } as const
    await api.store.failRun(id, failure)
    const { remedy } = ERRORS[failure.code]
    const told = { status: 'failed', failure: { ...failure, remedy } }
    expect(await api.get(`/api/v1/runs/${id}`)).toMatchObject(told)
    expect(await api.get('/api/v1/runs')).toMatchObject({ items: [told] })
  })

  it('should say why and what to do: a round', async () => {
    const { id } = await api.store.createRun(TOY_SETTINGS)
    const round = RoundNumber.parse(1)
    for (const client of ['client-0', 'client-1']) {
      await api.store.appendEvent(id, { type: 'client-ready', round, client })
    }
    await api.store.appendEvent(id, { type: 'deadline-passed', round })
    expect(await api.get(`/api/v1/runs/${id}/rounds/1`)).toMatchObject({
      report: null,
      failure: {
        code: 'GRAFT_COHORT_TOO_SMALL',
        problem: 'The round ended without a model.',
        remedy: ERRORS.GRAFT_COHORT_TOO_SMALL.remedy,
      },
    })
  })
})
