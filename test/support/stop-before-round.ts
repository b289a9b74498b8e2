import type { Running } from './graft-process.ts'

/**
 * Stops client-1, whose process is `late`, when it is ready: a round that waits for it as well can begin, and has no
 * update of it before SIGCONT, however quick its training is.
 */
export async function stopBeforeRound(coordinator: Running, late: Running): Promise<void> {
  await coordinator.printed(/client-1: ready/)
  late.child.kill('SIGSTOP')
}
