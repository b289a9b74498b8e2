import { GraftError } from '../../shared/errors.ts'
import type { ParentFile } from './parent-files.ts'

/** What a parent was trained on. */
export interface Trained {
  readonly numExamples: number
  /** [class] */
  readonly classCounts: readonly number[]
}

export interface CohortCounts {
  /** In the order of the parents. */
  readonly counts: readonly Trained[]
  /** False when a file did not say: then every parent counts as one example of each class. */
  readonly isKnown: boolean
}

/**
 * Reads `num_examples` and `class_counts` from the metadata of the parents. Counts of some parents mean
 * nothing beside unknown ones of others, so all have to say, or none counts.
 *
 * @throws GraftError GRAFT_MODEL_FILE_INVALID naming the file whose counts are no counts, or none
 */
export function countsOf(parents: readonly ParentFile[], numClasses: number): CohortCounts {
  const counts = parents.map((parent) => readCounts(parent, numClasses))
  if (counts.every((each) => each !== undefined)) return { counts, isKnown: true }
  const alike = { numExamples: numClasses, classCounts: Array<number>(numClasses).fill(1) }
  return { counts: counts.map(() => alike), isKnown: false }
}

function readCounts({ file, metadata }: ParentFile, numClasses: number): Trained | undefined {
  const { num_examples: examples, class_counts: classes } = metadata
  if (classes === undefined) return undefined
  let classCounts: unknown
  try {
    classCounts = JSON.parse(classes)
  } catch {
    classCounts = undefined
  }
  if (!isCounts(classCounts)) {
    throw invalid(`${file}: class_counts is no list of whole numbers, but ${classes.slice(0, 60)}.`)
  }
  if (classCounts.length !== numClasses) {
    throw new GraftError(
      'GRAFT_SHAPE_MISMATCH',
      `${file} counts ${classCounts.length} classes, the fused network has ${numClasses}.`,
    )
  }
  const sum = classCounts.reduce((a, b) => a + b, 0)
  const numExamples = examples === undefined ? sum : Number(examples)
  if (sum === 0 || !Number.isSafeInteger(numExamples) || numExamples <= 0) {
    throw invalid(
      `${file} says it was trained on nothing: num_examples ${examples ?? 'absent'}, class_counts ${classes}.`,
    )
  }
  return { numExamples, classCounts }
}

function isCounts(value: unknown): value is number[] {
  return (
    Array.isArray(value) &&
    value.every((count: unknown) => Number.isSafeInteger(count) && Number(count) >= 0)
  )
}

function invalid(problem: string): GraftError {
  return new GraftError('GRAFT_MODEL_FILE_INVALID', problem)
}
