import { GraftError } from '../../errors.ts'

/** Examples as a file has them, before anything is scaled. */
export interface RawSplit {
  /** [size, ...inputShape], row-major. A byte stands for value / 255, a float for itself. */
  readonly values: Uint8Array | Float32Array
  /** [size]. */
  readonly labels: Int32Array
}

/** A column of a table, and how many inputs it becomes. */
export interface Column {
  readonly name: string
  /** One input each, 1 where the cell is that; null: the column is one number. */
  readonly categories: readonly string[] | null
}

/** What a reader makes of a path. */
export interface RawData {
  /** As in `folder of images`. */
  readonly kind: string
  /** Shape of one input, e.g. [28, 28, 1]. */
  readonly inputShape: readonly number[]
  readonly numClasses: number
  /** By class; null where the data have numbers only. */
  readonly classNames: readonly string[] | null
  /** Of a table, in the order of the inputs; null for anything else. */
  readonly columns: readonly Column[] | null
  readonly train: RawSplit
  /** Null where the data do not say which examples judge. */
  readonly test: RawSplit | null
  /** What the reader decided by itself, and what looks odd; a sentence each. */
  readonly notes: readonly string[]
}

/** Of images, and of whatever is told by hand. Another size of a class list is a wrong label column. */
export const MAX_CLASSES = 1000

export interface ReadOptions {
  readonly signal?: AbortSignal | undefined
  /** Share of the files that are read, 0 to 1. */
  readonly onRead?: ((done: number) => void) | undefined
}

/** An error about the user's own data: what is wrong, what is allowed, what to do. */
export function invalidData(problem: string, cause?: unknown): GraftError {
  return new GraftError('GRAFT_DATA_INVALID', problem, { cause })
}
