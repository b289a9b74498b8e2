import { bestJudgedParent } from '../../../shared/protocol/judged-parents.ts'
import type { RoundReport, Score } from '../../../shared/protocol/run-report.ts'

/** Something that is measured on the test split in each round. */
export interface Candidate {
  /** As in the columns of `results.csv`. */
  readonly key: string
  readonly label: string
  /** Null: it was not measured. */
  readonly scoreOf: (
    round: RoundReport,
  ) => (Omit<Score, 'loss'> & { loss?: number | undefined }) | null
}

/** What a run makes. */
export const MODELS: readonly Candidate[] = [
  { key: 'published', label: 'published', scoreOf: ({ published }) => published },
  { key: 'fused', label: 'fused', scoreOf: ({ fused }) => fused },
  { key: 'tuned', label: 'tuned', scoreOf: ({ tuned }) => tuned },
]

/** What a fused model has to beat. */
export const CONTROLS: readonly Candidate[] = [
  { key: 'best_parent', label: 'best parent', scoreOf: (round) => bestJudgedParent(round) ?? null },
  { key: 'ensemble', label: 'ensemble', scoreOf: ({ controls }) => controls.ensemble },
  { key: 'average', label: 'average', scoreOf: ({ controls }) => controls.average },
  {
    key: 'average_tuned',
    label: 'average + fine-tuning',
    scoreOf: ({ controls }) => controls.averageTuned,
  },
  { key: 'proxy_alone', label: 'proxy set alone', scoreOf: ({ controls }) => controls.proxyAlone },
  {
    key: 'best_parent_tuned',
    label: 'best parent + fine-tuning',
    scoreOf: ({ controls }) => controls.bestParentTuned,
  },
]
