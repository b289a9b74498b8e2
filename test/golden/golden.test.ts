import { beforeAll, describe, expect, it } from 'vitest'
import { startTestEngine } from '../support/engine.ts'
import { casesIn, FIXTURES } from './fixture.ts'
import { hasCheck, isMiss, runCase } from './run-case.ts'

let engine: string

beforeAll(async () => {
  engine = (await startTestEngine()).name
})

describe('what the references gave', () => {
  it.each(casesIn(FIXTURES).filter(hasCheck))('should be what Graft gives: %s', async (name) => {
    const { comparisons, uncompared, problem } = await runCase(name, engine)
    expect(problem).toBeUndefined()
    expect(comparisons.filter(isMiss)).toEqual([])
    expect(uncompared).toEqual([])
  })
})
