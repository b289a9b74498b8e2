import { spawn } from 'node:child_process'
import { once } from 'node:events'

export interface ProcessOptions {
  cwd?: string
  /** Added to this process's own environment. */
  environment?: Record<string, string>
  /** Ends the process when aborted. */
  signal?: AbortSignal | undefined
  /** Called with what the process prints, as it comes; for progress. */
  onOutput?: (text: string) => void
}

export interface ProcessResult {
  /** Exit status; null when the program is missing or a signal ended it. */
  status: number | null
  /** The end of what it printed, stdout and stderr as they came. */
  output: string
}

const KEPT_CHARACTERS = 8192

/**
 * Runs a program to its end, without a shell. A failure is a status, not an error: what it means is for
 * the caller to say.
 *
 * @throws the signal's reason when it aborts
 */
export async function runProcess(
  program: string,
  words: readonly string[],
  options: ProcessOptions = {},
): Promise<ProcessResult> {
  const { cwd, environment, signal, onOutput } = options
  signal?.throwIfAborted()
  const child = spawn(program, words, {
    cwd,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-KEPT_CHARACTERS)
      onOutput?.(text)
    })
  }
  try {
    const [status] = (await once(child, 'close')) as [number | null]
    return { status, output }
  } catch (error) {
    signal?.throwIfAborted()
    return { status: null, output: error instanceof Error ? error.message : String(error) }
  }
}
