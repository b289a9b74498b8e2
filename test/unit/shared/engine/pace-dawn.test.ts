import { promisify } from 'node:util'
import { describe, expect, it, vi } from 'vitest'
import { paceDawn } from '../../../../shared/engine/pace-dawn.ts'

describe('paceDawn', () => {
  it('should let a native callback without name and parameters wait for a timer', () => {
    vi.useFakeTimers()
    try {
      const { timers, immediate } = paced()
      const tick = vi.fn()
      timers.setImmediate(asNative(tick))
      expect(immediate).not.toHaveBeenCalled()
      expect(tick).not.toHaveBeenCalled()
      vi.advanceTimersByTime(1)
      expect(tick).toHaveBeenCalledOnce()
    } finally {
      vi.useRealTimers()
    }
  })

  it.each<[what: string, callback: (...args: unknown[]) => void]>([
    ['a function', () => undefined],
    ['a bound function', (() => undefined).bind(null)],
    ['the end of a promise', endOfPromise()],
  ])('should hand on what is not of Dawn, with its arguments: %s', (_what, callback) => {
    const { timers, immediate } = paced()
    timers.setImmediate(callback, 1, 2)
    expect(immediate).toHaveBeenCalledExactlyOnceWith(callback, 1, 2)
  })

  it('should still give a promise when promisified', async () => {
    const timers = { setImmediate }
    paceDawn(timers)
    expect(timers.setImmediate).not.toBe(setImmediate)
    await expect(promisify(timers.setImmediate)(7)).resolves.toBe(7)
  })
})

// Helpers

function paced() {
  const immediate = vi.fn()
  const timers = { setImmediate: immediate as unknown as typeof setImmediate }
  paceDawn(timers)
  return { timers, immediate }
}

/** Looks as a function of an addon does: V8 prints a proxy as native code. */
const asNative = (body: () => void): (() => void) => new Proxy(() => body(), {})

function endOfPromise(): () => void {
  let end!: () => void
  void new Promise<void>((resolve) => (end = resolve))
  return end
}
