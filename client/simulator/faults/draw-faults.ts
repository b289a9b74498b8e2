import type { ClientId } from '../../../shared/ids.ts'
import { createRng } from '../../../shared/numeric/rng.ts'
import type { Fault, FaultPlan } from '../../../shared/protocol/fault-plan.ts'

/** A fault of one kind. */
export type FaultOf<Kind extends Fault['fault']> = Extract<Fault, { fault: Kind }>

/** Before the client has joined. */
export const BEFORE_ROUNDS = 0

/**
 * The faults that strike a client in a round: a function of the plan, the seed, the client and the round
 * alone, so that neither workers nor time change what happens.
 *
 * @param of.seed of the run, for a plan without one
 * @param of.round 1-based; {@link BEFORE_ROUNDS} for `late`, which is of no round
 */
export function drawFaults(
  { seed, faults }: FaultPlan,
  of: { readonly client: ClientId; readonly round: number; readonly seed: number },
): Fault[] {
  const rng = createRng(`faults/${seed ?? of.seed}`)
  return faults.filter((fault, index) => {
    const isBefore = fault.fault === 'late'
    if (isBefore !== (of.round === BEFORE_ROUNDS)) return false
    if (fault.clients?.includes(of.client) === false) return false
    if (!isBefore && fault.rounds?.some((round) => round === of.round) === false) return false
    const draw = rng.split(`${index}/${of.client}/${of.round}`)
    return draw.next() < (fault.probability ?? 1)
  })
}

/** The first fault of a kind. */
export function find<Kind extends Fault['fault']>(
  faults: readonly Fault[],
  kind: Kind,
): FaultOf<Kind> | undefined {
  return faults.find((fault): fault is FaultOf<Kind> => fault.fault === kind)
}
