import type { DiversityReport } from '../../../shared/protocol/diversity-report.ts'

type Pair = DiversityReport['pairs'][number]

export interface Measure {
  readonly id: string
  readonly title: string
  /** What low and high mean. */
  readonly ends: readonly [string, string]
  readonly valueOf: (pair: Pair) => number | null
  /** As short as can be, for cells. */
  readonly cell: (value: number) => string
  /** With its unit. */
  readonly full: (value: number) => string
  /** Whether a high value says that the two are alike. */
  readonly isAlikeness: boolean
}

/** What is measured of two parents: distance, disagreement, and how alike each level responds. */
export function measuresOf({ levels }: DiversityReport): Measure[] {
  return [
    {
      id: 'distance',
      title: 'Weight distance',
      ends: ['0 a copy', '1 unrelated'],
      valueOf: ({ weightDistance }) => weightDistance,
      cell: (value) => value.toFixed(2),
      full: (value) => `weight distance ${value.toFixed(3)}`,
      isAlikeness: false,
    },
    {
      id: 'disagreement',
      title: 'Disagreement',
      ends: ['% of proxy examples', '0 all alike'],
      valueOf: ({ disagreement }) => disagreement,
      cell: (value) => (100 * value).toFixed(0),
      full: (value) => `disagree on ${(100 * value).toFixed(1)} % of proxy examples`,
      isAlikeness: false,
    },
    ...levels.map((level, i): Measure => ({
      id: `cka-${i}`,
      title: `CKA of ${level}`,
      ends: ['0 unlike', '1 alike'],
      valueOf: ({ cka }) => cka[i] ?? null,
      cell: (value) => value.toFixed(2),
      full: (value) => `linear CKA ${value.toFixed(3)}`,
      isAlikeness: true,
    })),
  ]
}

/** The value of each pair, [row][column]; null on the diagonal and where nothing was measured. */
export function matrixOf(
  { parents, pairs }: DiversityReport,
  { valueOf }: Measure,
): (number | null)[][] {
  const byPair = new Map(pairs.map((pair) => [pair.parents.join('\n'), pair]))
  return parents.map((a) =>
    parents.map((b) => {
      const pair = byPair.get(`${a}\n${b}`) ?? byPair.get(`${b}\n${a}`)
      return pair === undefined ? null : valueOf(pair)
    }),
  )
}
