import { describe, expect, it } from 'vitest'
import { createRoundRecord } from '../../../../server/coordinator/round-record.ts'
import { ClientId, RoundNumber } from '../../../../shared/ids.ts'

const [ada, bob] = ['ada', 'bob'].map((name) => ClientId.parse(name)) as [ClientId, ClientId]
const report = (accuracy: number) => ({
  round: RoundNumber.parse(1),
  accuracy,
  loss: 1,
  numExamples: 10,
})
const never = new AbortController().signal
/** Longer than any test runs. */
const FOREVER = 3600

describe('createRoundRecord', () => {
  it('should keep the last report of each client', () => {
    const record = createRoundRecord()
    record.addEvaluation(ada, report(0.1))
    record.addEvaluation(bob, report(0.2))
    record.addEvaluation(ada, report(0.3))
    expect([...record.evaluations].map(([id, { accuracy }]) => [id, accuracy])).toEqual([
      [ada, 0.3],
      [bob, 0.2],
    ])
  })

  it('should not wait for a client that judges nothing', async () => {
    const record = createRoundRecord()
    const over = record.evaluated(() => [ada, bob], FOREVER, never)
    record.addEvaluation(ada, report(0.1))
    record.decline(bob)
    await over
    expect([...record.evaluations.keys()]).toEqual([ada])
  })

  it('should wait for nobody when nobody is awaited', async () => {
    await createRoundRecord().evaluated(() => [], FOREVER, never)
  })

  it('should resolve with the last report, not before', async () => {
    const record = createRoundRecord()
    const events: string[] = []
    const evaluated = record
      .evaluated(() => [ada, bob], FOREVER, never)
      .then(() => events.push('evaluated'))
    record.addEvaluation(ada, report(0.1))
    await new Promise(setImmediate)
    events.push('one is missing')
    record.addEvaluation(bob, report(0.2))
    await evaluated
    expect(events).toEqual(['one is missing', 'evaluated'])
  })

  it('should not wait for a client that left', async () => {
    const record = createRoundRecord()
    let connected = [ada, bob]
    const evaluated = record.evaluated(() => connected, FOREVER, never)
    record.addEvaluation(ada, report(0.1))
    // It waits again, for bob alone.
    await new Promise(setImmediate)
    connected = [ada]
    record.clientLeft()
    await evaluated
    expect(record.evaluations.size).toBe(1)
  })

  it('should give up after the time that it has', async () => {
    const record = createRoundRecord()
    await record.evaluated(() => [ada], 0.01, never)
    expect(record.evaluations.size).toBe(0)
    // What comes later is still kept, and wakes nobody.
    record.addEvaluation(ada, report(0.1))
    expect(record.evaluations.size).toBe(1)
  })

  it.each(['before', 'meanwhile'])(
    'should reject with the reason of its signal, %s',
    async (when) => {
      const stop = new AbortController()
      const reason = new Error('enough')
      if (when === 'before') stop.abort(reason)
      const evaluated = createRoundRecord().evaluated(() => [ada], FOREVER, stop.signal)
      stop.abort(reason)
      await expect(evaluated).rejects.toBe(reason)
    },
  )
})
