/** Labelled examples outside of any tensor. Inputs are made when asked for, so a set costs no copy. */
export interface ExampleSet {
  /** Shape of one input, e.g. [28, 28, 1]. */
  readonly inputShape: readonly number[]
  readonly numClasses: number
  /** Class of each example, [size]. */
  readonly labels: Int32Array
  /**
   * Normalised inputs of some examples, [indices.length, ...inputShape], row-major; a fresh array.
   * @throws RangeError when an index is outside the set
   */
  inputs(indices: ArrayLike<number>): Float32Array
}

/** A data set with its official split: `train` is dealt to clients and proxy, `test` only judges. */
export interface Dataset {
  readonly name: string
  readonly train: ExampleSet
  readonly test: ExampleSet
}
