import { EventEmitter } from 'node:events'
import { describe, expect, it } from 'vitest'
import { createUntilTaken } from '../../../../server/gateway/until-taken.ts'

/** A connection that takes nothing until it is told to. */
const fakeWire = (writableLength: number) =>
  Object.assign(new EventEmitter(), { writableLength, destroyed: false })

describe('createUntilTaken', () => {
  it('should not wait where nothing does', async () => {
    await createUntilTaken(fakeWire(0))()
    await createUntilTaken(Object.assign(fakeWire(5), { destroyed: true }))()
  })

  it.each(['drain', 'close'])('should wait for %s, however often it is asked', async (event) => {
    const wire = fakeWire(5)
    const untilTaken = createUntilTaken(wire)
    let taken = 0
    const all = Array.from({ length: 30 }, () => untilTaken().then(() => (taken += 1)))
    await new Promise(setImmediate)
    expect(taken).toBe(0)
    expect(wire.listenerCount(event)).toBe(1)

    wire.emit(event)
    await Promise.all(all)
    expect([wire.listenerCount('drain'), wire.listenerCount('close')]).toEqual([0, 0])
  })

  it('should wait anew for what was written since', async () => {
    const wire = fakeWire(5)
    const untilTaken = createUntilTaken(wire)
    for (let i = 0; i < 2; i++) {
      const taken = untilTaken()
      expect(wire.listenerCount('drain')).toBe(1)
      wire.emit('drain')
      await taken
    }
  })
})
