import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'

export interface Exit {
  /** Exit status; a process ended by a signal counts as 130. */
  readonly status: number
  /** What ended it from outside; null when it ended by itself, having said why. */
  readonly signal: NodeJS.Signals | null
}

export interface GraftProcess {
  /** Resolves when it has ended; never rejects. */
  readonly exited: Promise<Exit>
  /** The first message it sends; undefined when it ends without one. */
  readonly firstMessage: Promise<unknown>
  readonly kill: () => void
}

export type Screen = 'stdout' | 'stderr' | 'none'

const STDOUT = { stdout: 1, stderr: 2, none: 'ignore' } as const satisfies Record<Screen, unknown>

/**
 * Starts `graft <words>` as a child of its own, on this terminal.
 *
 * @param options.screen where its stdout goes; errors are always shown
 * @param options.onMessage told of everything it sends, before it counts as ended
 */
export function startGraft(
  words: readonly string[],
  options: {
    env?: Readonly<Record<string, string>>
    screen?: Screen
    onMessage?: (message: unknown) => void
  } = {},
): GraftProcess {
  const child = fork(process.argv[1] ?? '', [...words], {
    env: { ...process.env, ...options.env },
    stdio: ['ignore', STDOUT[options.screen ?? 'stdout'], 'inherit', 'ipc'],
  })
  const exited = waitForExit(child)
  if (options.onMessage !== undefined) child.on('message', options.onMessage)
  return {
    exited,
    firstMessage: Promise.race([
      once(child, 'message').then(([message]: unknown[]) => message),
      exited.then(() => undefined),
    ]),
    kill: () => void child.kill('SIGTERM'),
  }
}

async function waitForExit(child: ChildProcess): Promise<Exit> {
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
  // What it has sent last may still be in the channel.
  if (child.connected) await once(child, 'disconnect')
  return { status: code ?? 130, signal }
}
