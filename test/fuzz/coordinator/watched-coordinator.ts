import { fork } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { CoordinatorListening } from '../../../shared/protocol/process-messages.ts'
import { withoutGraft } from '../../support/without-graft.ts'
import type { Sample } from './sample.ts'
import { TOY_MODEL, toyTable } from './toy-table.ts'

export const JOIN_TOKEN = 'a-join-token-for-the-fuzzer'

// This file runs from dist/fuzz/test/fuzz/coordinator.
const CLI = resolve(import.meta.dirname, '../../../../cli.js')
const PROBE = pathToFileURL(join(import.meta.dirname, 'probe.js')).href

/** A `graft coordinator` whose memory, handles, output and end are seen from outside. */
export interface WatchedCoordinator {
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
 * Starts the real command with a probe in its process. One round on a toy table: its deadline is far, so
 * the round stays open until the last member has sent its update.
 */
export async function startWatchedCoordinator(
  home: string,
  clients: number,
): Promise<WatchedCoordinator> {
  const table = join(home, 'toy.csv')
  await writeFile(table, toyTable(400))
  const words = ['coordinator', '--data', table, '--model', TOY_MODEL, '--clients', `${clients}`]
  words.push('--quorum', '2', '--deadline', '86400', '--scores', 'uniform', '--proxy', '80')
  words.push('--tune-epochs', '2', '--seed', '7', '--engine', 'wasm', '--port', '0')
  words.push('--home', join(home, 'coordinator'), '--join-token', JOIN_TOKEN)
  const child = fork(CLI, words, {
    execArgv: ['--expose-gc', '--import', PROBE],
    env: withoutGraft(process.env),
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  const written = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      // The end is what says why; a coordinator that floods its output must not fill this memory.
      written[name] = (written[name] + text).slice(-100_000)
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

  const { url } = CoordinatorListening.parse(await orEnd(heard()))
  return {
    url,
    async sample() {
      const answer = heard()
      child.send('sample', () => undefined) // where it cannot be sent, the end says why
      return (await orEnd(answer)) as Sample
    },
    complaints: () => written.stderr,
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
