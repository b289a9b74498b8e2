import type { RunReport } from '../../../shared/protocol/run-report.ts'

type ByClass = readonly (number | null)[]

/**
 * Forgetting of a model: the mean, over the classes, of the largest accuracy that the published models of earlier
 * rounds had on the class, less the one it has now:
 * `F = 1/C sum_c (max_{t < T} A_c(t) - A_c(T))`, Lee et al. 2022 (arXiv 2106.03097), section 2. Below 0: it knows
 * more than any model before.
 *
 * @param past by round, [round][class], each a share from 0 to 1; null of a class without test examples
 * @param classes what the mean is over; all that have test examples when not given
 * @returns null without a past, or without a class
 */
export function forgetting(
  past: readonly ByClass[],
  present: ByClass,
  classes: (label: number) => boolean = () => true,
): number | null {
  if (past.length === 0) return null
  const losses = present.flatMap((now, label) => {
    if (now === null || !classes(label)) return []
    return past.reduce((most, then) => Math.max(most, then[label] ?? 0), 0) - now
  })
  return losses.length === 0 ? null : losses.reduce((sum, loss) => sum + loss, 0) / losses.length
}

export interface RoundForgetting {
  readonly round: number
  /** Of the published model; null in the first round. */
  readonly published: number | null
  /** What each client's network forgot in local training, beside the models published before. */
  readonly clients: readonly ClientForgetting[]
}

export interface ClientForgetting {
  readonly client: string
  /** Over all classes. */
  readonly all: number | null
  /** Over those that it has examples of; null where that is unknown, or none. */
  readonly held: number | null
  /** Over those that it has no example of. */
  readonly absent: number | null
}

/** What a run forgot in each round; rounds whose classes were not measured are left out. */
export function forgettingOf({ rounds }: RunReport): RoundForgetting[] {
  const past: ByClass[] = []
  const found: RoundForgetting[] = []
  for (const { round, published, parents } of rounds) {
    const present = published.classAccuracy
    if (present === undefined) continue
    const clients = parents.flatMap(({ client, classAccuracy, classCounts }) => {
      if (classAccuracy === undefined) return []
      const over = (classes?: (label: number) => boolean) =>
        forgetting(past, classAccuracy, classes)
      return {
        client,
        all: over(),
        held: classCounts ? over((label) => classCounts[label]! > 0) : null,
        absent: classCounts ? over((label) => classCounts[label] === 0) : null,
      }
    })
    found.push({ round, published: forgetting(past, present), clients })
    past.push(present)
  }
  return found
}
