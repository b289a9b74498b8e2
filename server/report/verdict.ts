import { bestJudgedParent } from '../../shared/protocol/judged-parents.ts'
import type { RoundReport } from '../../shared/protocol/run-report.ts'
import { percent } from '../../shared/terminal/format.ts'

/** Something that a fused network has to beat. */
export interface Control {
  readonly label: string
  readonly accuracy: number
}

/** The best parent and every control that was measured; ties between parents go to the first client. */
export function controlsOf(round: RoundReport): Control[] {
  const best = bestJudgedParent(round)
  const { ensemble, average, averageTuned, proxyAlone, bestParentTuned } = round.controls
  const all = [
    best && { label: `best parent (${best.client})`, accuracy: best.accuracy },
    ensemble && { label: 'ensemble', accuracy: ensemble.accuracy },
    average && { label: 'plain average', accuracy: average.accuracy },
    averageTuned && { label: 'plain average + fine-tuning', accuracy: averageTuned.accuracy },
    proxyAlone && { label: 'proxy set alone', accuracy: proxyAlone.accuracy },
    bestParentTuned && {
      label: `best parent (${bestParentTuned.parent}) + fine-tuning`,
      accuracy: bestParentTuned.accuracy,
    },
  ]
  return all.filter((control) => control !== null && control !== undefined)
}

/**
 * Whether one candidate was worth its fusion: it must beat every control, and a tie does not. Compares
 * what was measured, not what is printed.
 *
 * @returns one line
 */
export function verdict(candidate: Control, controls: readonly Control[]): string {
  const own = `${candidate.label} ${percent(candidate.accuracy)}`
  const unbeaten = controls.filter((control) => control.accuracy >= candidate.accuracy)
  if (unbeaten.length > 0) {
    const named = unbeaten.map(({ label, accuracy }) => `${label} ${percent(accuracy)}`)
    return `${own} does not beat ${named.join(', ')}`
  }
  const best = controls.toSorted((a, b) => b.accuracy - a.accuracy)[0]
  if (best === undefined) return `${own}: no control was measured`
  return `${own} beats every control; the best of them: ${best.label} ${percent(best.accuracy)}`
}
