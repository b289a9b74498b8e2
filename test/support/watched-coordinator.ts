import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Sample } from './memory-sample.ts'
import { withoutGraft } from './without-graft.ts'
import { withoutNotice } from './graft-process.ts'

// This file runs from dist/NAME/test/support.
const CLI = resolve(import.meta.dirname, '../../../cli.js')
const PROBE = pathToFileURL(join(import.meta.dirname, 'memory-probe.js')).href

/** A `graft coordinator` whose memory, handles, output and end are seen from outside. */
export interface WatchedCoordinator {
  readonly pid: number
  readonly url: string
  sample(): Promise<Sample>
  /** What it has written to stderr: a healthy coordinator writes nothing there. */
  complaints(): string
  /** What it has written to stdout. */
  output(): string
  /** Resolves with its exit status, or the signal that ended it. */
  readonly ended: Promise<number | string>
  hasEnded(): boolean
  /** As Ctrl-C does. */
  end(): void
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Starts the real command with a probe in its process.
 *
 * @param words behind `graft coordinator`
 * @param env beside this process's own, which nothing of Graft's is taken from
 * @param flags of Node.js
 */
export async function startWatchedCoordinator(
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
  flags: readonly string[] = [],
): Promise<WatchedCoordinator> {
  const child = fork(CLI, ['coordinator', ...words, '--port', '0'], {
    execArgv: [...flags, '--expose-gc', '--import', PROBE],
    env: { ...withoutGraft(process.env), ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  const written = { stdout: '', stderr: '' }
  const listening = /^Listening on (\S+)\.$/m
  let listens: (url: string) => void = () => undefined
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      // The end is what says why; a coordinator that floods its output must not fill this memory.
      written[name] = (written[name] + text).slice(-100_000)
      const [, url] = listening.exec(written.stdout) ?? []
      if (url !== undefined) listens(url)
    })
  }
  let isOver = false
  const ended = new Promise<number | string>((resolve) => {
    child.once('close', (status, signal) => {
      isOver = true
      resolve(status ?? signal ?? 'unknown')
    })
  })
  const orEnd = async <Result>(answer: Promise<Result>): Promise<Result> => {
    const early = ended.then((status) => {
      throw new Error(`The coordinator ended (${status}):\n${written.stdout}\n${written.stderr}`)
    })
    return Promise.race([answer, early])
  }
  const heard = async (): Promise<unknown> => ((await once(child, 'message')) as unknown[])[0]

  const url = await orEnd(new Promise<string>((resolve) => (listens = resolve)))
  return {
    pid: child.pid!,
    url,
    async sample() {
      const answer = heard()
      child.send('sample', () => undefined) // where it cannot be sent, the end says why
      return (await orEnd(answer)) as Sample
    },
    complaints: () => withoutNotice(written.stderr),
    output: () => written.stdout,
    ended,
    hasEnded: () => isOver,
    end: () => child.kill('SIGTERM'),
    async [Symbol.asyncDispose]() {
      if (!isOver) child.kill('SIGKILL')
      await ended
    },
  }
}
