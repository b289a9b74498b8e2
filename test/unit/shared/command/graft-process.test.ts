import { describe, expect, it } from 'vitest'
import { startGraft } from '../../../../shared/command/graft-process.ts'
import { installFakeGraft } from '../../../support/fake-graft.ts'

describe('startGraft', () => {
  it('should run this very graft with the words and the environment given', async () => {
    await using graft = await installFakeGraft({})
    const { exited } = startGraft(['client', 'a b'], { env: { GRAFT_TOKEN: 'secret' } })
    expect(await exited).toEqual({ status: 0, signal: null })
    expect(await graft.starts()).toEqual([{ words: ['client', 'a b'], token: 'secret' }])
  })

  it('should give its first message', async () => {
    await using graft = await installFakeGraft({ coordinator: 'listen' })
    const { firstMessage, kill, exited } = startGraft(['coordinator'])
    expect(await firstMessage).toEqual({ type: 'listening', url: 'http://127.0.0.1:1' })
    kill()
    expect(await exited).toEqual({ status: 130, signal: null })
    expect(await graft.starts()).toHaveLength(1)
  })

  it.each([
    { todo: 'exit 6', exit: { status: 6, signal: null } },
    { todo: 'die', exit: { status: 130, signal: 'SIGKILL' } },
  ])('should tell how it ended, and that there was no message: $todo', async ({ todo, exit }) => {
    await using graft = await installFakeGraft({ coordinator: todo })
    const { firstMessage, exited } = startGraft(['coordinator'], { screen: 'none' })
    expect(await firstMessage).toBeUndefined()
    expect(await exited).toEqual(exit)
    expect(await graft.starts()).toHaveLength(1)
  })
})
