import { afterEach, describe, expect, it, vi } from 'vitest'
import { runShards } from '../../../../client/simulator/worker.ts'
import { simulateWorkerCommand } from '../../../../client/simulator/worker-command.ts'

vi.mock(import('../../../../client/simulator/worker.ts'))
vi.mock(import('../../../../shared/engine/engine.ts'), async (original) => ({
  ...(await original()),
  startEngine: async () => ({ name: 'wasm' as const, reason: '', version: '' }),
}))

const GIVEN = ['--server', 'http://127.0.0.1:1', '--clients', '5']

afterEach(() => {
  vi.unstubAllEnvs()
  vi.clearAllMocks()
})

describe('graft simulate-worker', () => {
  it('should run its shards, with a token that no process list shows', async () => {
    vi.stubEnv('GRAFT_TOKEN', 'secret')
    await run('--shards', '0,2,4')
    expect(vi.mocked(runShards).mock.calls[0]?.[0]).toMatchObject({
      server: 'http://127.0.0.1:1',
      token: 'secret',
      shards: [0, 2, 4],
      clients: 5,
      engineName: 'wasm',
    })
  })

  it.each(['', '1,', 'one', '1,-2', '1.5'])('should refuse the shards "%s"', async (shards) => {
    vi.stubEnv('GRAFT_TOKEN', 'secret')
    await expect(run('--shards', shards)).rejects.toThrow('must be numbers with commas')
    expect(runShards).not.toHaveBeenCalled()
  })
})

// Helpers

async function run(...words: string[]): Promise<void> {
  await simulateWorkerCommand.parseAsync([...GIVEN, ...words], { from: 'user' })
}
