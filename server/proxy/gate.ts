import type { Evaluation } from '../../shared/training/evaluate.ts'
import type { Publishing } from '../../shared/protocol/run-settings.ts'
import { isBetter } from '../../shared/training/is-better.ts'
import { isClearlyWorse } from './is-clearly-worse.ts'

/** A model that could be published, judged on the held-out part of the proxy set. */
export interface Candidate {
  /** e.g. `tuned`, `fused`, `average`. */
  readonly name: string
  readonly heldOut: Evaluation
}

export interface GateDecision<Model extends Candidate> {
  /** The chosen candidate, or `current` when that does not beat it. */
  readonly published: Model
  /** False when `current` stays. */
  readonly isNew: boolean
  /** One sentence with the numbers that decided. */
  readonly reason: string
}

/**
 * Publishes the chosen candidate only if it beats the current global model: first by accuracy, then by
 * loss, both on examples that nothing was trained on. A tie keeps what is there.
 *
 * @param candidates in the order in which they were made; each has learnt more than the one before, and is chosen
 *   unless it is clearly worse
 * @param rules.count examples that all were judged on
 * @param rules.publish `always`: the chosen candidate, whatever the current model is
 * @throws RangeError when there is no candidate
 */
export function chooseCandidate<Model extends Candidate>(
  candidates: readonly Model[],
  current: Model,
  {
    count,
    publish = 'better',
  }: { readonly count: number; readonly publish?: Publishing | undefined },
): GateDecision<Model> {
  const [first, ...others] = candidates
  if (first === undefined) throw new RangeError('A gate needs at least one candidate.')
  const best = others.reduce((kept, next) => {
    return isClearlyWorse(next.heldOut, kept.heldOut, count) ? kept : next
  }, first)
  if (publish === 'always') {
    const reason = `${best.name} (${describe(best.heldOut)}) is published, as that of every round is.`
    return { published: best, isNew: true, reason }
  }
  const isNew = isBetter(best.heldOut, current.heldOut)
  const verdict = isNew ? 'is published: it beats' : 'is not published: it does not beat'
  return {
    published: isNew ? best : current,
    isNew,
    reason:
      `${best.name} (${describe(best.heldOut)}) ${verdict} ` +
      `the current model (${describe(current.heldOut)}) on the held-out proxy examples.`,
  }
}

function describe({ accuracy, loss }: Evaluation): string {
  return `accuracy ${(100 * accuracy).toFixed(1)} %, loss ${loss.toFixed(3)}`
}
