/** One weight of a network outside of any tensor: what is stored, sent and fused. */
export interface NamedTensor {
  /** `<layer>.<weight>`, as in `fc1.kernel`. */
  readonly name: string
  readonly shape: readonly number[]
  /** Row-major, float32; length is the product of `shape`. */
  readonly data: Float32Array
}

/** All weights of one network, in the order of its layers; kernels are [in, out] or [kh, kw, in, out]. */
export type Weights = readonly NamedTensor[]

export const sizeOf = (shape: readonly number[]): number =>
  shape.reduce((product, dim) => product * dim, 1)
