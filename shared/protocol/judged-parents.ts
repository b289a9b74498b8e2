import type { RoundReport } from './run-report.ts'

/** A parent whose accuracy was measured. */
export type JudgedParent = RoundReport['parents'][number] & { readonly accuracy: number }

/** The parents of a round that were judged: none of them in a round that left out the controls. */
export function judgedParents({ parents }: Pick<RoundReport, 'parents'>): JudgedParent[] {
  return parents.flatMap((parent) => {
    const { accuracy } = parent
    return accuracy === undefined ? [] : { ...parent, accuracy }
  })
}

/** The best of them by the test split, for display alone; ties go to the first client. */
export function bestJudgedParent(round: Pick<RoundReport, 'parents'>): JudgedParent | undefined {
  return judgedParents(round).toSorted((a, b) => b.accuracy - a.accuracy)[0]
}
