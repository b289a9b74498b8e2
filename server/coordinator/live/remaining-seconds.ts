import type { RoundReport } from '../../../shared/protocol/run-report.ts'
import type { RoundPhase } from '../round-state.ts'

/** What the phases of a round that is over took. */
export type PhaseSeconds = RoundReport['seconds']

/** Rounds that an estimate looks back on: the newest ones, as clients come and go. */
const ROUNDS = 5

/** Phases that last, in their order. */
const LASTING = ['collecting', 'fusing', 'tuning', 'evaluating'] as const

/**
 * Estimates the time to the end of a round: what is left of its phase and the phases behind it, each by the median of
 * the newest rounds. How long clients are recruited nobody can know; it counts as nothing.
 *
 * @param elapsed seconds that the phase has lasted
 * @param earlier rounds, oldest first
 * @returns null when there is nothing to go by, 0 when the round is over
 */
export function remainingSeconds(
  phase: RoundPhase,
  elapsed: number,
  earlier: readonly PhaseSeconds[],
): number | null {
  if (phase === 'published' || phase === 'failed') return 0
  const newest = earlier.slice(-ROUNDS)
  if (newest.length === 0) return null
  const typical = (of: (typeof LASTING)[number]) =>
    median(newest.map((each) => secondsOf(each, of)))
  if (phase === 'recruiting') return LASTING.reduce((sum, each) => sum + typical(each), 0)
  const later = LASTING.slice(LASTING.indexOf(phase) + 1)
  const left = Math.max(0, typical(phase) - elapsed)
  return later.reduce((sum, each) => sum + typical(each), left)
}

/** The slowest client's work is what collecting waits for. */
function secondsOf(seconds: PhaseSeconds, phase: (typeof LASTING)[number]): number {
  switch (phase) {
    case 'collecting':
      return seconds.train + seconds.attribute + seconds.upload
    case 'fusing':
      return seconds.fuse
    case 'tuning':
      return seconds.tune
    case 'evaluating':
      return seconds.evaluate
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
