import { startGraft } from '../../shared/command/graft-process.ts'
import { ChildFailed } from '../../shared/command/run-program.ts'
import { EXIT } from '../../shared/errors.ts'

/**
 * Runs `graft <words>` to its end, without its stdout.
 * @throws ChildFailed with its status when it fails; the reason of `signal`, which ends it
 */
export async function runGraft(
  words: readonly string[],
  signal: AbortSignal | undefined,
): Promise<void> {
  signal?.throwIfAborted()
  const { exited, kill } = startGraft(words, { screen: 'none' })
  signal?.addEventListener('abort', kill, { once: true })
  try {
    const { status } = await exited
    signal?.throwIfAborted()
    if (status !== EXIT.ok) throw new ChildFailed(status)
  } finally {
    signal?.removeEventListener('abort', kill)
  }
}
