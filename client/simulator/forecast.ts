import { ChildFailed } from '../../shared/command/run-program.ts'
import { type Screen, startGraft } from '../../shared/command/graft-process.ts'
import { EXIT } from '../../shared/errors.ts'

/**
 * Has the coordinator of each run say what it will take, one after the other; none of them begins anything.
 *
 * @throws ChildFailed with the status of the first that refuses its run
 */
export async function forecast(
  runs: readonly (readonly string[])[],
  screen: Screen,
): Promise<void> {
  for (const words of runs) {
    const { exited } = startGraft(['coordinator', ...words, '--preflight'], { screen })
    const { status } = await exited
    if (status !== EXIT.ok) throw new ChildFailed(status)
  }
}
