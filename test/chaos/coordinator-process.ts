import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'

const CLI = resolve(import.meta.dirname, '../../../cli.js')

export interface CoordinatorEnd {
  readonly status: number | null
  readonly wasKilled: boolean
  readonly stderr: string
}

/** One that starts does not wait for a bucket: whoever started it does so again, as a service manager would. */
export const foundNoBucket = ({ stderr }: CoordinatorEnd): boolean =>
  stderr.includes('GRAFT_BUCKET_UNAVAILABLE')

export interface CoordinatorProcess {
  readonly ended: Promise<CoordinatorEnd>
  /** SIGKILL; nothing happens to one that has ended. */
  kill(): void
  /** SIGSTOP: to everybody else it is still there. */
  freeze(): void
  /** SIGCONT. */
  thaw(): void
}

export interface CoordinatorCommand {
  readonly words: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** @default the built `graft` */
  readonly cli?: string | undefined
}

/** Starts the built `graft coordinator`, as an operator does. @param onLine told of each line that it prints */
export function startCoordinatorProcess(
  { words, env, cli = CLI }: CoordinatorCommand,
  onLine: (line: string) => void,
): CoordinatorProcess {
  const child = spawn(process.execPath, [cli, 'coordinator', ...words], {
    env: { ...process.env, ...env, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stderr = ''
  createInterface({ input: child.stdout }).on('line', onLine)
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  return {
    ended: once(child, 'close').then(([status, signal]: unknown[]) => ({
      status: status as number | null,
      wasKilled: signal === 'SIGKILL',
      stderr,
    })),
    kill: () => void child.kill('SIGKILL'),
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
  }
}
