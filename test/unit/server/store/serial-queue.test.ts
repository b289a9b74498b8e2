import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createSerialQueue } from '../../../../server/store/serial-queue.ts'

describe('createSerialQueue', () => {
  it('should go on after a task that fails', async () => {
    const queue = createSerialQueue()
    const failed = queue.add('a', () => Promise.reject(new Error('no')))
    const next = queue.add('a', async () => 'yes')

    await expect(failed).rejects.toThrow('no')
    expect(await next).toBe('yes')
    await expect(queue.settled()).resolves.toBeUndefined()
  })

  it('should not let one key wait for another', async () => {
    const queue = createSerialQueue()
    let release: (value: string) => void = () => undefined
    const stuck = new Promise<string>((resolve) => (release = resolve))
    const slow = queue.add('a', () => stuck)

    expect(await queue.add('b', async () => 'b')).toBe('b')
    release('a')
    expect(await slow).toBe('a')
  })

  it('should run tasks of a key one at a time and in order, however long each takes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(fc.constantFrom('a', 'b'), { minLength: 1, maxLength: 12 }),
        async (scheduler, keys) => {
          const queue = createSerialQueue()
          const log: string[] = []
          const added = keys.map((key, i) =>
            queue.add(key, async () => {
              log.push(`${key}${i} begins`)
              await scheduler.schedule(Promise.resolve())
              log.push(`${key}${i} ends`)
            }),
          )
          const settled = queue.settled()
          await scheduler.waitFor(Promise.all(added))
          await settled

          for (const name of ['a', 'b']) {
            const expected = keys.flatMap((key, i) =>
              key === name ? [`${key}${i} begins`, `${key}${i} ends`] : [],
            )
            expect(log.filter((line) => line.startsWith(name))).toEqual(expected)
          }
        },
      ),
    )
  })
})
