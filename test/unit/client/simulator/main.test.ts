import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { simulateCommand } from '../../../../client/simulator/main.ts'
import { type Simulation, simulate } from '../../../../client/simulator/simulate.ts'
import type { RunReport } from '../../../../shared/protocol/run-report.ts'
import type { SimulationReport } from '../../../../shared/protocol/simulation-report.ts'
import { StudyReport } from '../../../../shared/protocol/study-report.ts'
import { roundReport, runReport } from '../../../support/run-report.ts'
import { createTemporaryFolder, type TemporaryFolder } from '../../../support/temporary-folder.ts'

vi.mock(import('../../../../client/simulator/simulate.ts'))

let folder: TemporaryFolder
let printed = { stdout: '', stderr: '' }

beforeEach(async () => {
  folder = await createTemporaryFolder()
  printed = { stdout: '', stderr: '' }
  vi.mocked(simulate).mockImplementation((simulation) => leaveReport(simulation))
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

/** Runs of a study, in an order that is known. */
const IN_TURN = ['--parallel', '1']

describe('graft simulate', () => {
  it('should hand the coordinator every option, and each client a place', async () => {
    const words = ['--clients', '3', '--workers', '2', '--engine', 'wasm']
    const [simulation] = await run([...words, '--rehearse', '--seed', '9'])
    expect(simulation).toMatchObject({ clients: 3, workers: 2, engine: 'wasm', screen: 'stdout' })
    const spoken = simulation!.coordinatorWords.join(' ')
    expect(spoken).toContain('--clients 3')
    expect(spoken).toContain('--seed 9')
    expect(spoken).toMatch(/--rehearse(?= --)/)
    expect(spoken).toContain(`--home ${folder.path} --engine wasm`)
    // Its forecast counts the memory of both.
    expect(spoken).toContain('--beside-workers 2')
    expect(spoken).not.toMatch(/--json|--workers|preflight/)
  })

  it('should hand on that a run is to be tried whatever is foreseen', async () => {
    const [simulation] = await run(['--ignore-preflight'])
    expect(simulation!.coordinatorWords).toContain('--ignore-preflight')
  })

  it('should write the report to a file, beside what is shown', async () => {
    const json = join(folder.path, 'out.json')
    await run(['--json', json])
    expect(JSON.parse(await readFile(json, 'utf8'))).toEqual(wholeReportOf('nt'))
    expect(printed.stdout).toContain(folder.path)
    expect(printed.stdout).toContain('2 clients of 400 to 500 examples, 1 to 2 of 2 classes each')
    expect(printed.stdout).toMatch(/^bob +█400 .*100 +500$/m)
  })

  it('should write a page with its numbers beside it, and say where', async () => {
    const report = join(folder.path, 'report')
    await run(['--strategy', 'fedavg,nt', '--seeds', '1,2', '--report', report])
    const results = JSON.parse(await readFile(join(report, 'results.json'), 'utf8')) as StudyReport
    expect(StudyReport.parse(results).runs.map(({ strategy, seed }) => [strategy, seed])).toEqual([
      ['fedavg', 1],
      ['nt', 1],
      ['fedavg', 2],
      ['nt', 2],
    ])
    expect(await readFile(join(report, 'results.csv'), 'utf8')).toMatch(/^strategy,seed,round,/)
    const page = await readFile(join(report, 'index.html'), 'utf8')
    expect(page).toContain('2 strategies on mnist')
    expect(printed.stdout).toContain(join(report, 'index.html'))
  })

  it('should not begin when there can be no report', async () => {
    const file = join(folder.path, 'file')
    await writeFile(file, '')
    await expect(run(['--report', file])).rejects.toThrow(/GRAFT_FILE_UNREADABLE/)
    expect(simulate).not.toHaveBeenCalled()
  })

  it('should leave stdout to the report alone', async () => {
    const [simulation] = await run(['--json'])
    expect(simulation).toMatchObject({ screen: 'stderr' })
    expect(JSON.parse(printed.stdout)).toEqual(wholeReportOf('nt'))
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
      wholeReportOf('fedavg'),
      wholeReportOf('nt:tree=joint'),
    ])
  })

  it('should run every strategy with every seed, and show means and deviations', async () => {
    vi.mocked(simulate).mockImplementation(async (simulation) => {
      const seed = Number(valueOf(simulation, '--seed'))
      return leaveReport(simulation, (report) => ({
        ...report,
        seed,
        final: { ...report.final, accuracy: 0.9 + seed / 100 },
      }))
    })
    const json = join(folder.path, 'out.json')
    const words = ['--strategy', 'fedavg,nt', '--seeds', '1,2,3', '--json', json]
    const simulations = await run([...words, ...IN_TURN])
    expect(
      simulations.map((one) => [valueOf(one, '--strategy'), valueOf(one, '--seed')].join()),
    ).toEqual(['fedavg,1', 'nt,1', 'fedavg,2', 'nt,2', 'fedavg,3', 'nt,3'])
    expect(new Set(simulations.map((one) => valueOf(one, '--home'))).size).toBe(6)
    expect(printed.stdout).toMatch(/nt .*│.* 92\.00 ± 1\.00 % /)
    expect(printed.stdout).toContain('3 seeds; proxy set alone: 85.00 ± 0.00 %')
    expect(printed.stderr).toMatch(/fedavg, seed 2: done; 3 of 6 runs, about \d+ s to go/)
    expect(JSON.parse(await readFile(json, 'utf8'))).toHaveLength(6)
  })

  it('should go on where it was ended, without the runs that are done', async () => {
    const words = ['--strategy', 'fedavg,nt', '--seeds', '1,2', ...IN_TURN]
    let runs = 0
    vi.mocked(simulate).mockImplementation(async (simulation) => {
      if (++runs === 3) throw new Error('ended')
      return leaveReport(simulation)
    })
    await expect(run(words)).rejects.toThrow('ended')
    vi.mocked(simulate).mockImplementation((simulation) => leaveReport(simulation))
    const again = await run(words)
    expect(again.map((one) => `${valueOf(one, '--strategy')} ${valueOf(one, '--seed')}`)).toEqual([
      'fedavg 2',
      'nt 2',
    ])
    expect(printed.stderr).toContain('nt, seed 1: was done before; 2 of 4 runs')
    expect(printed.stdout).toContain('2 seeds')
  })

  it('should run again what has fewer rounds than asked for', async () => {
    const words = ['--strategy', 'fedavg,nt']
    await run(words)
    const file = join(folder.path, 'nt', 'report.json')
    await writeFile(file, JSON.stringify({ ...reportOf('nt'), rounds: [] }))
    expect((await run(words)).map((one) => valueOf(one, '--strategy'))).toEqual(['nt'])
    await writeFile(file, '{"version":')
    expect((await run(words)).map((one) => valueOf(one, '--strategy'))).toEqual(['nt'])
  })

  it('should not mix with another simulation in the folder', async () => {
    await run(['--strategy', 'fedavg,nt', '--clients', '4'])
    const other = run(['--strategy', 'fedavg,nt', '--clients', '5', '--rehearse'])
    await expect(other).rejects.toThrow(/holds a simulation with another clients, rehearse/)
    expect(simulate).not.toHaveBeenCalled()
  })

  it('should take a process a core, and none without a client', async () => {
    expect((await run(['--clients', '1']))[0]?.workers).toBe(1)
    expect((await run(['--clients', '9999']))[0]?.workers).toBe(availableParallelism())
  })

  it('should hand over a fault plan, and refuse one that leaves too few clients', async () => {
    const file = join(folder.path, 'plan.json')
    const leave = { fault: 'leave', clients: ['client-1'], when: 'before-upload', back: 'never' }
    await writeFile(file, JSON.stringify({ faults: [leave] }))
    const words = ['--faults', file, '--clients', '3', '--rounds', '2', '--seed', '5']
    const [simulation] = await run([...words, '--quorum', '2'])
    expect(simulation).toMatchObject({ faults: { file, seed: 5 }, updateFolder: null })
    await expect(run(words)).rejects.toThrow(
      /takes 1 of 3 clients away for good by round 1 \(seed 5\), and round 2 waits for 3\. Give --quorum 2/,
    )
  })

  it('should refuse a fault plan with a client that is not there', async () => {
    const file = join(folder.path, 'plan.json')
    const faults = [{ fault: 'slow', factor: 2, clients: ['client-3'] }]
    await writeFile(file, JSON.stringify({ faults }))
    await expect(run(['--faults', file, '--clients', '3'])).rejects.toThrow(
      'names client-3; there are client-0 to client-2',
    )
  })

  it('should share updates between strategies alone', async () => {
    const [first, second] = await run(['--strategy', 'fedavg,nt'])
    expect(first!.updateFolder).toBe(join(folder.path, 'updates'))
    expect(second!.updateFolder).toBe(first!.updateFolder)
  })

  it('should share updates of no seeds', async () => {
    expect((await run(['--seeds', '1,2']))[0]!.updateFolder).toBeNull()
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

/** What a simulation tells of itself. */
const SIMULATED: SimulationReport = { workers: 2, peakRssMb: 500, faults: [], reused: [] }

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
async function leaveReport(
  simulation: Simulation,
  change: (report: RunReport) => RunReport = (report) => report,
): Promise<SimulationReport> {
  const home = valueOf(simulation, '--home')
  await mkdir(home, { recursive: true })
  const report = change({
    ...reportOf(valueOf(simulation, '--strategy')),
    seed: Number(valueOf(simulation, '--seed')),
  })
  await writeFile(join(home, 'report.json'), JSON.stringify(report))
  return SIMULATED
}

function valueOf({ coordinatorWords }: Simulation, option: string): string {
  return coordinatorWords[coordinatorWords.indexOf(option) + 1] ?? ''
}

function reportOf(strategy: string) {
  const round = roundReport()
  const parents = round.parents.map((parent, i) => ({ ...parent, classCounts: [400, 100 * i] }))
  return { ...runReport([{ ...round, parents }]), strategy }
}

/** The report with what the simulator adds: its own memory and that of the coordinator, 300 MiB. */
function wholeReportOf(strategy: string) {
  return { ...reportOf(strategy), simulation: { ...SIMULATED, peakRssMb: 800 } }
}
