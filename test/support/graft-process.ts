import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { withoutGraft } from './without-graft.ts'

const CLI = resolve(import.meta.dirname, '../../dist/cli.js')

export interface Finished {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Running {
  readonly child: ChildProcess
  readonly finished: Promise<Finished>
  /** Resolves with the match once the output (stdout, then stderr) has it; rejects when the process ends without. */
  printed(pattern: RegExp): Promise<RegExpExecArray>
  [Symbol.asyncDispose](): Promise<void>
}

/** Starts the built `graft` as a process of its own, as a user does; `npm run build` comes first. */
export function startGraft(words: readonly string[], env: Record<string, string> = {}): Running {
  const child = spawn(process.execPath, [CLI, ...words], {
    env: { ...withoutGraft(process.env), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  let changed: () => void = () => undefined
  let isOver = false
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
    changed()
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
    changed()
  })
  const finished = once(child, 'close').then(([status]): Finished => {
    isOver = true
    changed()
    return {
      status: status as number | null,
      stdout,
      stderr: withoutNotice(stderr),
    }
  })
  return {
    child,
    finished,
    async printed(pattern) {
      for (;;) {
        const match = pattern.exec(stdout) ?? pattern.exec(stderr)
        if (match !== null) return match
        if (isOver)
          throw new Error(`graft ended without printing ${pattern}:\n${stdout}\n${stderr}`)
        await new Promise<void>((resolve) => (changed = resolve))
      }
    },
    async [Symbol.asyncDispose]() {
      if (!isOver) child.kill('SIGKILL')
      await finished
    },
  }
}

/** Runs the built `graft` to its end. */
export async function runGraft(
  words: readonly string[],
  env: Record<string, string> = {},
): Promise<Finished> {
  await using running = startGraft(words, env)
  return await running.finished
}

const TENSORFLOW_NOTICE =
  /^(WARNING: All log messages before absl::InitializeLog.*|I0000 .*oneDNN custom operations.*)\n/gm

/**
 * Without what libtensorflow writes while it is loaded. Graft hushes it on terminals and shell pipes; a child of Node has a
 * socket for stderr, where it cannot.
 */
export const withoutNotice = (stderr: string): string => stderr.replace(TENSORFLOW_NOTICE, '')
