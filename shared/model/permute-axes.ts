import { sizeOf } from './weights.ts'

/** How two row-major arrays of the same numbers differ in the order of their axes. */
export interface AxisOrder {
  /** Shape of the one. */
  readonly spread: readonly number[]
  /** For each axis of the other, the axis of `spread` that it is. */
  readonly axes: readonly number[]
}

/** From the order of `spread` into that of `axes`, or back. @returns a fresh array */
export function permuteAxes(
  source: Float32Array,
  { spread, axes }: AxisOrder,
  direction: 'forth' | 'back',
): Float32Array {
  const strides = spread.map((_, axis) => sizeOf(spread.slice(axis + 1)))
  const dims = axes.map((axis) => spread[axis]!)
  const steps = axes.map((axis) => strides[axis]!)
  const target = new Float32Array(source.length)
  const index = dims.map(() => 0)
  let spreadAt = 0
  for (let at = 0; at < source.length; at++) {
    if (direction === 'forth') target[at] = source[spreadAt]!
    else target[spreadAt] = source[at]!
    // Counts up like an odometer, last axis fastest.
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      spreadAt += steps[axis]!
      index[axis]! += 1
      if (index[axis]! < dims[axis]!) break
      spreadAt -= steps[axis]! * dims[axis]!
      index[axis] = 0
    }
  }
  return target
}
