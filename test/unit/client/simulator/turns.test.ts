import { describe, expect, it } from 'vitest'
import { createTurns } from '../../../../client/simulator/turns.ts'

describe('createTurns', () => {
  it('should run so many at once, in the order in which they came', async () => {
    const turns = createTurns(2)
    const begun: number[] = []
    const end: (() => void)[] = []
    const tasks = [0, 1, 2, 3].map((task) =>
      turns(async () => {
        begun.push(task)
        await new Promise<void>((resolve) => (end[task] = resolve))
        return task
      }),
    )
    await new Promise(setImmediate)
    expect(begun).toEqual([0, 1])
    end[1]!()
    await new Promise(setImmediate)
    expect(begun).toEqual([0, 1, 2])
    end[0]!()
    end[2]!()
    await new Promise(setImmediate)
    end[3]!()
    expect(await Promise.all(tasks)).toEqual([0, 1, 2, 3])
  })

  it('should go on behind a task that fails', async () => {
    const turns = createTurns(1)
    await expect(turns(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
    expect(await turns(async () => 'next')).toBe('next')
  })
})
