import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'

export interface GraftProcess {
  /** Resolves with the exit status; a process ended by a signal counts as 130. */
  readonly exited: Promise<number>
  /** The first message it sends; undefined when it ends without one. */
  readonly firstMessage: Promise<unknown>
  readonly kill: () => void
}

/**
 * Starts `graft <words>` as a child of its own, on this terminal.
 *
 * @param options.quiet drop its stdout; errors are always shown
 */
export function startGraft(
  words: readonly string[],
  options: { env?: Readonly<Record<string, string>>; quiet?: boolean } = {},
): GraftProcess {
  const child = fork(process.argv[1] ?? '', [...words], {
    env: { ...process.env, ...options.env },
    stdio: ['ignore', options.quiet ? 'ignore' : 'inherit', 'inherit', 'ipc'],
  })
  const exited = waitForExit(child)
  return {
    exited,
    firstMessage: Promise.race([
      once(child, 'message').then(([message]: unknown[]) => message),
      exited.then(() => undefined),
    ]),
    kill: () => void child.kill('SIGTERM'),
  }
}

async function waitForExit(child: ChildProcess): Promise<number> {
  const [code] = (await once(child, 'exit')) as [number | null]
  return code ?? 130
}
