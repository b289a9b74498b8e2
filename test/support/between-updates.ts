import type { Running } from './graft-process.ts'

/** Waits until a coordinator has the update of client-0; that of client-1, whose process is `late`, does not come until SIGCONT. */
export async function untilBetweenUpdates(coordinator: Running, late: Running): Promise<void> {
  await coordinator.printed(/client-1: training/)
  late.child.kill('SIGSTOP')
  await coordinator.printed(/client-0: uploaded/)
}
