import { GraftError } from '../../../shared/errors.ts'
import type { ClientId } from '../../../shared/ids.ts'
import type { FaultPlan } from '../../../shared/protocol/fault-plan.ts'
import { drawFaults, find } from './draw-faults.ts'

export interface Survivable {
  readonly clients: readonly ClientId[]
  readonly rounds: number
  readonly quorum: number
  readonly seed: number
}

/**
 * Refuses a plan that names clients who are not there, and one behind which too few clients are left for a
 * round: recruiting waits for a quorum, however long that takes, and those who left for good never come.
 *
 * @throws GraftError GRAFT_OPTION_INVALID saying whom or in which round, and what to change
 */
export function assertSurvivable(
  plan: FaultPlan,
  { clients, rounds, quorum, seed }: Survivable,
): void {
  const unknown = plan.faults
    .flatMap((fault) => fault.clients ?? [])
    .find((client) => !clients.includes(client))
  if (unknown !== undefined) {
    const problem = `The fault plan names ${unknown}; there are ${clients[0]} to ${clients.at(-1)}.`
    throw new GraftError('GRAFT_OPTION_INVALID', problem)
  }
  let left = [...clients]
  // Who leaves in the last round is missed by none.
  for (let round = 1; round < rounds; round++) {
    left = left.filter((client) => {
      const faults = drawFaults(plan, { client, round, seed })
      return find(faults, 'leave')?.back !== 'never' && find(faults, 'corrupt')?.how !== 'shape'
    })
    if (left.length >= quorum) continue
    const problem = `The fault plan takes ${clients.length - left.length} of ${clients.length} clients away for good by round ${round} (seed ${seed}), and round ${round + 1} waits for ${quorum}. Give --quorum ${Math.max(1, left.length)} or less, or let fewer leave.`
    throw new GraftError('GRAFT_OPTION_INVALID', problem)
  }
}
