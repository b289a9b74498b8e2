import type { Rng } from '../../numeric/rng.ts'

export interface PartitionInput {
  /** Class of each example, [size]; size is at least `clients`. */
  readonly labels: Int32Array
  readonly numClasses: number
  /** At least 1. */
  readonly clients: number
  readonly rng: Rng
}

/**
 * Deals examples to clients. Pure: the same input gives the same parts.
 *
 * @returns positions in `labels` of each client's examples, ascending, [client][example]; disjoint, and
 *   at least one for each client
 * @throws GraftError GRAFT_PARTITION_INVALID when these examples cannot be dealt so
 */
export type Partitioner = (input: PartitionInput) => Int32Array[]

/** A client's positions as the contract wants them: ascending. */
export const toParts = (parts: readonly (readonly number[])[]): Int32Array[] =>
  parts.map((part) => Int32Array.from(part).sort())
