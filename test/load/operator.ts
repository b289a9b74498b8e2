import { execFile, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { promisify } from 'node:util'

// This file runs from dist/tools/test/load.
const PROGRAM = join(import.meta.dirname, 'looking-operator.js')

/** An operator who can be told to look and to leave. */
export interface LookingOperator {
  readonly look: () => void
  /** @returns how much it has been told since it came to be */
  readonly leave: () => Promise<number>
  readonly end: () => void
}

/** @param words where the store is, as `graft token` takes it */
export async function createViewerToken(
  cli: string,
  words: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<string> {
  const create = [cli, 'token', 'create', '--operator', '--role', 'viewer', '--json', ...words]
  const { stdout } = await promisify(execFile)(process.execPath, create, { env })
  return (JSON.parse(stdout) as { secret: string }).secret
}

/** Starts it; it does not look yet. */
export function startOperator(server: string, token: string): LookingOperator {
  const child = fork(PROGRAM, [server, token], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  return {
    look: () => void child.send('look'),
    async leave() {
      const answer = once(child, 'message')
      child.send('leave')
      const [{ heard }] = (await answer) as [{ heard: number }]
      return heard
    },
    end: () => void child.kill(),
  }
}
