import { describe, expect, it } from 'vitest'
import { createMailbox } from '../../../../client/node/mailbox.ts'

const never = new AbortController().signal

describe('createMailbox', () => {
  it('should give messages in the order they came', async () => {
    const mailbox = createMailbox<number>()
    mailbox.put(1)
    mailbox.put(2)
    expect([await mailbox.take(never), await mailbox.take(never)]).toEqual([1, 2])
  })

  it('should wait for a message', async () => {
    const mailbox = createMailbox<string>()
    const taken = mailbox.take(never)
    mailbox.put('a')
    expect(await taken).toBe('a')
  })

  it('should stop waiting for the reason of its signal', async () => {
    const stop = new AbortController()
    const taken = createMailbox<string>().take(stop.signal)
    stop.abort(new Error('enough'))
    await expect(taken).rejects.toThrow('enough')
  })

  it('should keep a message that came when nobody waited any more', async () => {
    const mailbox = createMailbox<string>()
    const stop = new AbortController()
    const taken = mailbox.take(stop.signal)
    stop.abort(new Error('enough'))
    mailbox.put('a')
    await expect(taken).rejects.toThrow('enough')
    expect(await mailbox.take(never)).toBe('a')
  })
})
