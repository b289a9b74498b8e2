import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { simulateCommand } from '../../../../client/simulator/main.ts'
import { type Simulation, simulate } from '../../../../client/simulator/simulate.ts'
import { roundReport, runReport } from '../../../support/run-report.ts'
import { createTemporaryFolder, type TemporaryFolder } from '../../../support/temporary-folder.ts'

vi.mock(import('../../../../client/simulator/simulate.ts'))

let folder: TemporaryFolder
let printed = { stdout: '', stderr: '' }

beforeEach(async () => {
  folder = await createTemporaryFolder()
  printed = { stdout: '', stderr: '' }
  vi.mocked(simulate).mockImplementation(leaveReport)
  for (const name of ['stdout', 'stderr'] as const) {
    vi.spyOn(process[name], 'write').mockImplementation((text) => {
      printed[name] += String(text)
      return true
    })
  }
})

afterEach(async () => {
  vi.clearAllMocks()
  vi.restoreAllMocks()
  await folder[Symbol.asyncDispose]()
})

describe('graft simulate', () => {
  it('should hand the coordinator every option, and each client a place', async () => {
    const words = ['--clients', '3', '--workers', '2', '--engine', 'wasm']
    const [simulation] = await run([...words, '--rehearse', '--seed', '9'])
    expect(simulation).toMatchObject({ clients: 3, workers: 2, engine: 'wasm', screen: 'stdout' })
    const spoken = simulation!.coordinatorWords.join(' ')
    expect(spoken).toContain('--clients 3')
    expect(spoken).toContain('--seed 9')
    expect(spoken).toMatch(/--rehearse(?= --)/)
    expect(spoken.endsWith(`--home ${folder.path} --engine wasm`)).toBe(true)
    expect(spoken).not.toContain('--json')
    expect(spoken).not.toContain('--workers')
  })

  it('should write the report to a file, beside what is shown', async () => {
    const json = join(folder.path, 'out.json')
    await run(['--json', json])
    expect(JSON.parse(await readFile(json, 'utf8'))).toEqual(reportOf('nt'))
    expect(printed.stdout).toContain(folder.path)
  })

  it('should leave stdout to the report alone', async () => {
    const [simulation] = await run(['--json'])
    expect(simulation).toMatchObject({ screen: 'stderr' })
    expect(JSON.parse(printed.stdout)).toEqual(reportOf('nt'))
    expect(printed.stderr).toContain(folder.path)
  })

  it('should run several strategies with all else the same, and show them side by side', async () => {
    const json = join(folder.path, 'out.json')
    const simulations = await run(['--strategy', 'fedavg,nt:tree=joint', '--json', json])
    const spoken = simulations.map(({ coordinatorWords }) => coordinatorWords.join(' '))
    expect(spoken[0]).toContain('--strategy fedavg ')
    expect(spoken[1]).toContain('--strategy nt:tree=joint ')
    const withoutStrategy = spoken.map((words) => words.replace(/--strategy \S+|--home \S+/g, ''))
    expect(withoutStrategy[0]).toBe(withoutStrategy[1])
    expect(new Set(spoken.map((words) => /--home (\S+)/.exec(words)?.[1])).size).toBe(2)
    expect(printed.stdout).toMatch(/fedavg .*│.* 72\.00 % .*│.* 92\.00 %/)
    expect(printed.stdout).toMatch(/proxy set alone: 85\.00 %/)
    expect(JSON.parse(await readFile(json, 'utf8'))).toEqual([
      reportOf('fedavg'),
      reportOf('nt:tree=joint'),
    ])
  })

  it('should take a process a core, and none without a client', async () => {
    expect((await run(['--clients', '1']))[0]?.workers).toBe(1)
    expect((await run(['--clients', '9999']))[0]?.workers).toBe(availableParallelism())
  })

  it.each([
    [['--workers', '0'], '--workers "0" is not allowed'],
    [['--clients', '2.5'], '--clients "2.5" is not allowed'],
    [['--engine', 'abacus'], '--engine "abacus" is not allowed'],
  ])('should refuse %j', async (words, problem) => {
    await expect(run(words)).rejects.toThrow(problem)
    expect(simulate).not.toHaveBeenCalled()
  })
})

// Helpers

/** Every simulation that the command starts. */
async function run(words: string[]): Promise<Simulation[]> {
  // A command of commander keeps what it was given last.
  for (const option of simulateCommand.options) {
    simulateCommand.setOptionValue(option.attributeName(), undefined)
  }
  vi.mocked(simulate).mockClear()
  await simulateCommand.parseAsync(['--home', folder.path, ...words], { from: 'user' })
  return vi.mocked(simulate).mock.calls.map(([simulation]) => simulation)
}

/** What a simulation leaves in its folder. */
async function leaveReport({ coordinatorWords }: Simulation): Promise<void> {
  const valueOf = (option: string) => coordinatorWords[coordinatorWords.indexOf(option) + 1] ?? ''
  await mkdir(valueOf('--home'), { recursive: true })
  const report = JSON.stringify(reportOf(valueOf('--strategy')))
  await writeFile(join(valueOf('--home'), 'report.json'), report)
}

function reportOf(strategy: string) {
  return { ...runReport([roundReport()]), strategy }
}
