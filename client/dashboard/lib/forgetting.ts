import type { RoundSummary } from '../../../shared/protocol/operator/resources.ts'

export interface ClassChange {
  readonly label: number
  readonly accuracy: number
  /** Largest accuracy that the published model of an earlier round had in this class; null: there was none. */
  readonly best: number | null
}

/**
 * Each class of a round's published model beside the best of the rounds before: Lee et al. 2022 (arXiv 2106.03097)
 * call the mean of `best - accuracy` forgetting.
 */
export function classChanges(rounds: readonly RoundSummary[], round: number): ClassChange[] {
  const present = rounds.find((one) => one.round === round)?.published.classAccuracy ?? []
  const past = rounds
    .filter((one) => one.round < round)
    .map(({ published }) => published.classAccuracy ?? [])
  return present.flatMap((accuracy, label) => {
    if (accuracy === null) return []
    const earlier = past.flatMap((classes) => classes[label] ?? [])
    return { label, accuracy, best: earlier.length === 0 ? null : Math.max(...earlier) }
  })
}

/** @returns null without an earlier round, or without classes */
export function forgetting(changes: readonly ClassChange[]): number | null {
  const losses = changes.flatMap(({ best, accuracy }) => (best === null ? [] : best - accuracy))
  return losses.length === 0 ? null : losses.reduce((sum, loss) => sum + loss, 0) / losses.length
}
