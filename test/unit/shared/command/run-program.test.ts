import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Command } from 'commander'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import writeFileAtomic from 'write-file-atomic'
import {
  ChildFailed,
  Interrupted,
  interruptSignal,
  runProgram,
} from '../../../../shared/command/run-program.ts'
import { EXIT, GraftError } from '../../../../shared/errors.ts'
import { createTemporaryFolder } from '../../../support/temporary-folder.ts'

let stderr = ''
const emitters = [
  [process, 'uncaughtException'],
  [process.stdout, 'error'],
  [process.stderr, 'error'],
] as const
let before: readonly (readonly unknown[])[] = []

beforeEach(() => {
  before = emitters.map(([emitter, event]) => emitter.rawListeners(event))
  stderr = ''
  vi.stubEnv('GRAFT_DEBUG', undefined)
  vi.spyOn(process, 'exit').mockImplementation(() => undefined as never)
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    stderr += String(text)
    return true
  })
  vi.spyOn(process.stdout, 'write').mockReturnValue(true)
})

afterEach(() => {
  vi.restoreAllMocks()
  // A program listens until its process ends; this process goes on.
  for (const [i, [emitter, event]] of emitters.entries()) {
    for (const listener of emitter.rawListeners(event)) {
      if (before[i]?.includes(listener) !== true) emitter.off(event, listener as () => void)
    }
  }
  vi.unstubAllEnvs()
  process.exitCode = undefined
})

describe('runProgram', () => {
  it('should end a command that succeeds without a word', async () => {
    expect(await statusOf(() => undefined)).toBeUndefined()
    expect(stderr).toBe('')
    expect(process.exit).toHaveBeenCalledOnce()
  })

  it('should say an error in one line and end with its exit status', async () => {
    const error = new GraftError('GRAFT_DISK_FULL', 'No space\n  left.')
    expect(await statusOf(() => Promise.reject(error))).toBe(EXIT.environment)
    expect(stderr).toMatch(/^graft: No space left\. .*\(GRAFT_DISK_FULL\)\n$/)
  })

  it('should say that anything else is a bug', async () => {
    expect(await statusOf(() => Promise.reject(new TypeError('oops')))).toBe(EXIT.internal)
    expect(stderr).toMatch(/^graft: oops .*\(GRAFT_INTERNAL\)\n$/)
  })

  it('should add the stack on request', async () => {
    vi.stubEnv('GRAFT_DEBUG', '1')
    const print = vi.spyOn(console, 'error').mockReturnValue()
    await statusOf(() => Promise.reject(new TypeError('oops')))
    expect(print.mock.calls[0]?.[0]).toMatchObject({ cause: new TypeError('oops') })
  })

  it.each([
    { case: 'Ctrl-C', error: new Interrupted('SIGINT'), status: 130 },
    { case: 'another process that has said it', error: new ChildFailed(5), status: 5 },
  ])('should add nothing to $case', async ({ error, status }) => {
    expect(await statusOf(() => Promise.reject(error))).toBe(status)
    expect(stderr).toBe('')
  })

  it('should add nothing to what Node.js aborts by Ctrl-C', async () => {
    const signal = AbortSignal.abort(new Interrupted('SIGINT'))
    expect(await statusOf(() => delay(60_000, undefined, { signal }))).toBe(130)
    expect(stderr).toBe('')
  })

  it.each([
    { words: ['try', '--wrong'], says: "unknown option '--wrong'" },
    { words: ['tyr'], says: "unknown command 'tyr'" },
    { words: ['try', 'extra'], says: 'too many arguments' },
  ])('should refuse $words as one of its own errors', async ({ words, says }) => {
    expect(await statusOf(() => undefined, words)).toBe(EXIT.usage)
    expect(stderr).toMatch(/^graft: .*\(GRAFT_OPTION_INVALID\)\n$/)
    expect(stderr).toContain(says)
  })

  it('should not count --help as a failure', async () => {
    expect(await statusOf(() => undefined, ['try', '--help'])).toBe(EXIT.ok)
    expect(stderr).toBe('')
  })

  it('should show the help of a command that only has commands, and nothing else', async () => {
    expect(await statusOf(() => undefined, ['several'])).toBe(EXIT.usage)
    expect(stderr).toMatch(/^Usage: graft several .*\n$/s)
    expect(stderr).not.toContain('GRAFT_')
  })
})

describe('interruptSignal', () => {
  const names = ['SIGINT', 'SIGTERM'] as const
  let others: (readonly NodeJS.SignalsListener[])[]

  beforeEach(() => {
    others = names.map((name) => process.listeners(name))
    for (const name of names) process.removeAllListeners(name)
  })
  afterEach(() => {
    for (const [i, name] of names.entries()) {
      process.removeAllListeners(name)
      for (const listener of others[i]!) process.on(name, listener)
    }
  })

  it.each(names)('should be aborted by %s, the second of which ends the process', (name) => {
    const kill = vi.spyOn(process, 'kill').mockReturnValue(true)
    const signal = interruptSignal()
    expect(signal.aborted).toBe(false)
    process.emit(name)
    expect(signal.reason).toBeInstanceOf(Interrupted)
    expect(signal.reason).toMatchObject({ message: name })
    expect(kill).not.toHaveBeenCalled()
    process.emit(name)
    expect(kill).toHaveBeenCalledWith(process.pid, name)
    expect(process.listenerCount(name)).toBe(0)
  })

  it('should let a command end well that is told to while it writes a file', async () => {
    await using folder = await createTemporaryFolder()
    const kill = vi.spyOn(process, 'kill').mockReturnValue(true)
    const signal = interruptSignal()
    const path = join(folder.path, 'report.json')
    const written = writeFileAtomic(path, 'x'.repeat(1_000_000))
    await vi.waitFor(() => expect(process.listenerCount('SIGTERM')).toBe(2), { interval: 0 })
    process.emit('SIGTERM')
    await written
    expect(signal.aborted).toBe(true)
    expect(kill).not.toHaveBeenCalled()
    expect((await stat(path)).size).toBe(1_000_000)
  })
})

// Helpers

async function statusOf(action: () => unknown, words = ['try']): Promise<typeof process.exitCode> {
  const program = new Command('graft')
  program
    .command('try')
    .allowExcessArguments(false)
    .action(async () => {
      await action()
    })
  program.command('several').command('one')
  await runProgram(program, ['node', 'graft', ...words])
  return process.exitCode
}
