import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { demoCommand } from '../../../../client/simulator/demo-command.ts'
import { simulate } from '../../../../client/simulator/simulate.ts'
import { diagnoseEngines } from '../../../../shared/engine/diagnose.ts'
import type { EngineDiagnosis } from '../../../../shared/engine/engine-diagnosis.ts'
import { ensureNative } from '../../../../shared/engine/install.ts'
import { GraftError } from '../../../../shared/errors.ts'

vi.mock(import('../../../../client/simulator/simulate.ts'))
vi.mock(import('../../../../shared/engine/diagnose.ts'))
vi.mock(import('../../../../shared/engine/install.ts'))

const MISSING: EngineDiagnosis = {
  name: 'native',
  usable: false,
  detail: 'It is not installed.',
  remedy: 'Run `graft engine install`.',
}
const failure = new GraftError('GRAFT_ENGINE_INSTALL_FAILED', 'There is no pip.')

let printed = ''

beforeEach(() => {
  printed = ''
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += String(text)
    return true
  })
})

afterEach(() => {
  vi.clearAllMocks()
  vi.restoreAllMocks()
})

describe('graft demo', () => {
  it('should simulate five clients with two digits each, and say what to do next', async () => {
    const { coordinatorWords, ...simulation } = await run('--engine', 'wasm')
    expect(simulation).toMatchObject({ clients: 5, workers: 5, engine: 'wasm' })
    const words = coordinatorWords.join(' ')
    expect(words).toContain('--partition labels:2 --clients 5 --rounds 2')
    expect(words).toContain('--home here --engine wasm')
    expect(printed).toMatch(/Five clients.*here\/report\.json.*npx graft simulate/s)
    expect(diagnoseEngines).not.toHaveBeenCalled()
  })

  it.each<{ case: string; found: EngineDiagnosis; install?: Error; engine: string }>([
    { case: 'is there', found: { ...MISSING, usable: true }, engine: 'native' },
    { case: 'can be installed', found: MISSING, engine: 'native' },
    { case: 'cannot be installed', found: MISSING, install: failure, engine: 'wasm' },
  ])('should take $engine when native $case', async ({ found, install, engine }) => {
    vi.mocked(diagnoseEngines).mockResolvedValue([found])
    if (install !== undefined) vi.mocked(ensureNative).mockRejectedValueOnce(install)
    expect((await run('--engine', 'auto')).engine).toBe(engine)
    expect(ensureNative).toHaveBeenCalledTimes(found.usable ? 0 : 1)
    expect(printed.includes('There is no pip. The demo goes on with wasm.')).toBe(
      install !== undefined,
    )
  })

  it('should not offer to install what this machine cannot have', async () => {
    const { name, usable, detail } = MISSING
    vi.mocked(diagnoseEngines).mockResolvedValue([{ name, usable, detail }])
    expect((await run('--engine', 'auto')).engine).toBe('wasm')
    expect(ensureNative).not.toHaveBeenCalled()
  })
})

// Helpers

async function run(...words: string[]) {
  await demoCommand.parseAsync([...words, '--home', 'here'], { from: 'user' })
  return vi.mocked(simulate).mock.calls.at(-1)![0]
}
