import type { ErrorCode } from '../../../shared/errors.ts'
import type { Rng } from '../../../shared/numeric/rng.ts'
import type { RunFacts } from '../run-facts.ts'

/** One update that has to be refused. */
export interface BadFile {
  readonly bytes: Uint8Array
  /** What goes wrong on the way, in place of or beside what is in the file. */
  readonly transfer?: Transfer
}

export interface Transfer {
  readonly announced?: { readonly sizeBytes?: number; readonly sha256?: string }
  readonly committed?: {
    readonly numExamples?: number
    readonly classCounts?: readonly number[]
    readonly round?: number
  }
  /** Bytes that are sent; all of them when not given. */
  readonly sentBytes?: number
  /** The only right answer. */
  readonly code: ErrorCode
}

/** One way to be malformed: a row of the report. */
export interface FileKind {
  readonly group: string
  readonly name: string
  draw(rng: Rng, facts: RunFacts): BadFile
}
