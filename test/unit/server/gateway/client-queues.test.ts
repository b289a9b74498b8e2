import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createClientQueues } from '../../../../server/gateway/client-queues.ts'
import { clientId } from '../../../support/test-gateway.ts'

describe('createClientQueues', () => {
  it('should run the tasks of a client in order, whatever each takes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), async (scheduler) => {
        const queues = createClientQueues()
        const log: string[] = []
        const tasks = ['a', 'b'].flatMap((name) =>
          [1, 2, 3].map((n) =>
            queues.run(clientId(name), async () => {
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
    const queues = createClientQueues()
    const failed = queues.run(clientId('a'), () => Promise.reject(new Error('no')))
    const next = queues.run(clientId('a'), async () => 'next')
    await expect(failed).rejects.toThrow('no')
    expect(await next).toBe('next')
  })

  it('should not let one client wait for another', async () => {
    const queues = createClientQueues()
    void queues.run(clientId('a'), () => new Promise(() => undefined))
    expect(await queues.run(clientId('b'), async () => 'b')).toBe('b')
  })

  it('should be idle once no task is left, also of those that came meanwhile', async () => {
    const queues = createClientQueues()
    const done: string[] = []
    const task = (name: string) => async () => {
      await Promise.resolve()
      done.push(name)
    }
    const failed = queues.run(clientId('a'), () => Promise.reject(new Error('no')))
    failed.catch(() => queues.run(clientId('b'), task('late')))
    void queues.run(clientId('a'), task('early'))
    await queues.idle()
    expect(done).toEqual(['early', 'late'])
  })
})
