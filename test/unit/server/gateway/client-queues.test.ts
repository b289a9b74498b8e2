import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createClientQueues } from '../../../../server/gateway/client-queues.ts'
import { clientId } from '../../../support/test-gateway.ts'

describe('createClientQueues', () => {
  it('should run the tasks of a client in order, whatever each takes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), async (scheduler) => {
        const serially = createClientQueues()
        const log: string[] = []
        const tasks = ['a', 'b'].flatMap((name) =>
          [1, 2, 3].map((n) =>
            serially(clientId(name), async () => {
              log.push(`${name}${n} begins`)
              await scheduler.schedule(Promise.resolve())
              log.push(`${name}${n} ends`)
            }),
          ),
        )
        await scheduler.waitFor(Promise.all(tasks))
        for (const name of ['a', 'b']) {
          expect(log.filter((line) => line.startsWith(name))).toEqual(
            [1, 2, 3].flatMap((n) => [`${name}${n} begins`, `${name}${n} ends`]),
          )
        }
      }),
    )
  })

  it('should go on behind a task that failed', async () => {
    const serially = createClientQueues()
    const failed = serially(clientId('a'), () => Promise.reject(new Error('no')))
    const next = serially(clientId('a'), async () => 'next')
    await expect(failed).rejects.toThrow('no')
    expect(await next).toBe('next')
  })

  it('should not let one client wait for another', async () => {
    const serially = createClientQueues()
    void serially(clientId('a'), () => new Promise(() => undefined))
    expect(await serially(clientId('b'), async () => 'b')).toBe('b')
  })
})
