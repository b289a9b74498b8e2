import { join } from 'node:path'
import { writeFile } from 'node:fs/promises'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { coordinatorCommand } from '../../../server/main.ts'
import type { CoordinatorOptions } from '../../../server/process/coordinator-options.ts'
import * as start from '../../../server/start-coordinator.ts'
import { encodeSafetensors } from '../../../shared/model/safetensors.ts'
import { createTemporaryFolder } from '../../support/temporary-folder.ts'
import { hashOf, toyWeights } from '../../support/toy-run.ts'

vi.mock(import('../../../server/start-coordinator.ts'))

afterEach(() => {
  vi.clearAllMocks()
  vi.unstubAllEnvs()
})

describe('graft coordinator', () => {
  it('should start what its options say', async () => {
    const started = await run(['--home', 'here', '--clients', '3', '--port', '0', '--insecure'])
    expect(started).toMatchObject({
      settings: { clients: 3, quorum: 3, initialModel: null },
      initial: null,
      listen: { host: '127.0.0.1', port: 0, insecure: true },
      joinToken: undefined,
      home: 'here',
      databaseUrl: undefined,
      reportTarget: undefined,
    })
    expect(started.signal.aborted).toBe(false)
  })

  it('should write its report where --json says', async () => {
    expect((await run(['--home', 'here', '--json'])).reportTarget).toBe(true)
    expect((await run(['--home', 'here', '--json', 'out.json'])).reportTarget).toBe('out.json')
  })

  it('should start from a model file, which the settings name by its hash', async () => {
    await using folder = await createTemporaryFolder()
    const file = join(folder.path, 'model.safetensors')
    const bytes = encodeSafetensors(toyWeights('a'), {})
    await writeFile(file, bytes)
    const started = await run(['--from', file])
    expect(started.initial!.tensors).toEqual(toyWeights('a'))
    expect(started.settings.initialModel).toBe(hashOf(bytes))
  })

  it('should take its token from the environment, and never repeat it', async () => {
    vi.stubEnv('GRAFT_JOIN_TOKEN', 'a-token-of-enough-letters')
    expect((await run([])).joinToken).toBe('a-token-of-enough-letters')
    vi.stubEnv('GRAFT_JOIN_TOKEN', 'too-short')
    const refused = run([])
    await expect(refused).rejects.toThrow(/^GRAFT_JOIN_TOKEN is not allowed/)
    await expect(refused).rejects.not.toThrow(/too-short/)
  })

  it.each([
    [['--port', '70000'], '--port "70000" is not allowed'],
    [['--rounds', '0'], '--rounds "0" is not allowed'],
    [['--tune', 'hard'], '--tune "hard" is not allowed'],
    [['--from', 'nowhere.safetensors'], 'nowhere.safetensors'],
  ])('should refuse %j before it starts', async (words, problem) => {
    const startCoordinator = vi.spyOn(start, 'startCoordinator')
    await expect(run(words)).rejects.toThrow(problem)
    expect(startCoordinator).not.toHaveBeenCalled()
  })
})

// Helpers

async function run(words: string[]): Promise<CoordinatorOptions> {
  const startCoordinator = vi.spyOn(start, 'startCoordinator').mockResolvedValue()
  // A command of commander keeps what it was given last.
  for (const option of coordinatorCommand.options) {
    coordinatorCommand.setOptionValue(option.attributeName(), undefined)
  }
  await coordinatorCommand.parseAsync(words, { from: 'user' })
  return startCoordinator.mock.calls.at(-1)![0]
}
