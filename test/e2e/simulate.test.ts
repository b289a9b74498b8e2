import { execFileSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { RunReport } from '../../shared/protocol/run-report.ts'
import { type Running, runGraft, startGraft } from '../support/graft-process.ts'
import { createTemporaryFolder } from '../support/temporary-folder.ts'

/** Three clients in two processes that train until they are stopped. */
const ENDLESS = [
  ['--model', 'mlp:784-32-10'],
  ['--partition', 'labels:5', '--clients', '3', '--workers', '2'],
  ['--examples-per-client', '300', '--proxy', '200'],
  ['--local-epochs', '1000'],
].flat()

const SHORT = [
  ['--model', 'mlp:784-32-10', '--clients', '2', '--workers', '1'],
  ['--examples-per-client', '300', '--proxy', '200'],
  ['--local-epochs', '1', '--tune-epochs', '2'],
].flat()

/** Many clients with little to do. */
const CROWD = [
  ['--model', 'mlp:784-16-10', '--clients', '12', '--rounds', '2', '--partition', 'dirichlet:1'],
  ['--examples-per-client', '30', '--proxy', '100', '--scores', 'uniform'],
  ['--local-epochs', '1', '--strategy', 'fedavg', '--tune', 'labels', '--tune-epochs', '2'],
].flat()

const KILLED = (role: string) =>
  new RegExp(`^graft: A ${role} process was ended by SIGKILL.* \\(GRAFT_RUN_FAILED\\)\\n$`)

describe.skipIf(process.platform === 'win32')('the processes of graft simulate', () => {
  it('should all end on Ctrl-C', async () => {
    await withSimulation(async (simulation, parts) => {
      // As a terminal does: every process of the group is told.
      for (const { pid } of parts) process.kill(pid, 'SIGINT')
      simulation.child.kill('SIGINT')
      const { status, stderr } = await simulation.finished
      expect({ status, stderr }).toEqual({ status: 130, stderr: '' })
    })
  })

  it('should all end when only the first of them is told to', async () => {
    await withSimulation(async (simulation) => {
      simulation.child.kill('SIGTERM')
      const { status, stderr } = await simulation.finished
      expect({ status, stderr }).toEqual({ status: 130, stderr: '' })
    })
  })

  it('should all end when the first of them is killed', async () => {
    await withSimulation(async (simulation) => {
      simulation.child.kill('SIGKILL')
      // Its output ends when the last process that writes there has ended.
      expect((await simulation.finished).stderr).toBe('')
    })
  })

  it.each(['worker', 'coordinator'])('should all end when a %s is killed', async (role) => {
    await withSimulation(async (simulation, parts) => {
      process.kill(parts.find((part) => part.role === role)!.pid, 'SIGKILL')
      const { status, stderr } = await simulation.finished
      expect(stderr).toMatch(KILLED(role))
      expect(status).toBe(6)
    })
  })
})

describe('graft simulate', () => {
  it('should run again in the same folder, where its clients have joined before', async () => {
    await using folder = await createTemporaryFolder()
    const words = ['simulate', ...SHORT, '--home', join(folder.path, 'home')]
    for (const seed of ['1', '2']) {
      const { status, stderr } = await runGraft([...words, '--seed', seed])
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    }
  })

  it('should make a report and its page of a single client', async () => {
    await using folder = await createTemporaryFolder()
    const [home, page] = [join(folder.path, 'home'), join(folder.path, 'page')]
    const words = [...SHORT, '--clients', '1', '--home', home, '--report', page]
    const { status, stdout, stderr } = await runGraft(['simulate', ...words])
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toMatch(/neurons: client-0 100 %/)
    const { clients, rounds, simulation } = await reportIn(home)
    expect([clients, simulation!.workers]).toEqual([1, 1])
    expect(rounds[0]!.parents.map(({ client }) => client)).toEqual(['client-0'])
    expect(rounds[0]!.published.classAccuracy).toHaveLength(10)
    expect(await readFile(join(page, 'index.html'), 'utf8')).toContain('client-0')
  })
})

describe('graft simulate with many clients', () => {
  it('should give the same bytes whatever the number of workers', async () => {
    await using folder = await createTemporaryFolder()
    const words = ['simulate', ...CROWD]
    const [one, three] = await Promise.all(
      ['1', '3'].map(async (workers) => {
        const home = join(folder.path, workers)
        const { status, stderr } = await runGraft([...words, '--workers', workers, '--home', home])
        expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
        return reportIn(home)
      }),
    )
    expect(one!.rounds.map(({ uploads }) => uploads)).toEqual([12, 12])
    expect(untimed(three!)).toEqual(untimed(one!))
    expect([one!.simulation!.workers, three!.simulation!.workers]).toEqual([1, 3])
  })
})

describe('graft simulate with several strategies', () => {
  it('should go on after SIGKILL without the run that is done, and without training again', async () => {
    await using folder = await createTemporaryFolder()
    const home = join(folder.path, 'study')
    // One by one: runs beside each other do not show their rounds.
    const words = [
      'simulate',
      ...SHORT,
      '--strategy',
      'fedavg,nt',
      '--parallel',
      '1',
      '--home',
      home,
    ]
    {
      await using first = startGraft(words)
      await first.printed(/fedavg, seed 7: done; 1 of 2 runs/)
      // Its second coordinator lives on for a moment.
      await first.printed(/round 1: recruiting[^]*round 1: recruiting/)
      first.child.kill('SIGKILL')
      expect((await first.finished).status).toBeNull()
    }
    const { status, stdout, stderr } = await runGraft(words)
    expect(status, stderr).toBe(0)
    expect(stderr).toContain('fedavg, seed 7: was done before')
    expect(stdout).toMatch(/│ fedavg .*│\n(.*\n)*│ nt /)
    expect(stdout.match(/Model of round 1:/g)).toHaveLength(1)
    const shared = await reportIn(join(home, 'nt'))
    expect(shared.simulation!.reused.map(({ client }) => client)).toEqual(['client-0', 'client-1'])

    const alone = join(folder.path, 'alone')
    await runGraft(['simulate', ...SHORT, '--strategy', 'nt', '--home', alone])
    expect(untimed(shared)).toEqual(untimed(await reportIn(alone)))
  })
})

// Helpers

async function reportIn(home: string): Promise<RunReport> {
  return RunReport.parse(JSON.parse(await readFile(join(home, 'report.json'), 'utf8')))
}

/** All that a report says of the result, and not of how it was made. */
function untimed(report: RunReport) {
  const rounds = report.rounds.map((round) => ({ ...round, seconds: 0, peakRssMb: 0 }))
  return { ...report, simulation: null, rounds }
}

interface Part {
  readonly pid: number
  readonly role: 'coordinator' | 'worker'
}

/** Starts a simulation, ends it with `end` while its clients train, and expects no process of it to be left. */
async function withSimulation(
  end: (simulation: Running, parts: readonly Part[]) => Promise<void>,
): Promise<void> {
  await using folder = await createTemporaryFolder()
  const home = ['--home', join(folder.path, 'home')]
  await using simulation = startGraft(['simulate', ...ENDLESS, ...home])
  for (const client of [0, 1, 2]) await simulation.printed(new RegExp(`client-${client}: training`))
  const parts = partsOf(simulation)
  expect(parts.map(({ role }) => role).sort()).toEqual(['coordinator', 'worker', 'worker'])
  await end(simulation, parts)
  await vi.waitFor(() => expect(parts.filter(({ pid }) => isAlive(pid))).toEqual([]), 10_000)
}

function partsOf({ child }: Running): Part[] {
  const processes = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' })
  return processes.split('\n').flatMap((line) => {
    const [, pid, parent, args = ''] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? []
    if (Number(parent) !== child.pid) return []
    return [{ pid: Number(pid), role: args.includes(' coordinator ') ? 'coordinator' : 'worker' }]
  })
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
