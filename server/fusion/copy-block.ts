import type { NamedTensor } from '../../shared/model/weights.ts'

/** Which positions along one axis are copied: element `from[i]` of the source to `to[i]` of the target. */
export interface AxisCopy {
  readonly from: Int32Array
  readonly to: Int32Array
}

/**
 * Copies the block of `source` where the chosen positions of every axis meet into `target`, in place;
 * `target[to_0[i], to_1[j], ...] = source[from_0[i], from_1[j], ...]`. The rest of `target` stays.
 *
 * @param axes one entry for each axis; both tensors have as many, row-major
 */
export function copyBlock(
  source: Pick<NamedTensor, 'shape' | 'data'>,
  target: Pick<NamedTensor, 'shape' | 'data'>,
  axes: readonly AxisCopy[],
): void {
  const last = axes.length - 1
  const { from, to } = axes[last]!
  let fromRows = Int32Array.of(0)
  let toRows = Int32Array.of(0)
  axes.slice(0, last).forEach((axis, i) => {
    fromRows = offsetsAlong(fromRows, axis.from, source.shape[i]!)
    toRows = offsetsAlong(toRows, axis.to, target.shape[i]!)
  })
  for (let row = 0; row < toRows.length; row++) {
    const fromRow = fromRows[row]! * source.shape[last]!
    const toRow = toRows[row]! * target.shape[last]!
    for (let i = 0; i < to.length; i++) {
      target.data[toRow + to[i]!] = source.data[fromRow + from[i]!]!
    }
  }
}

/** Offsets one axis further in: each block so far, then each position on the axis within it. */
function offsetsAlong(
  blocks: Int32Array,
  positions: Int32Array,
  length: number,
): Int32Array<ArrayBuffer> {
  const offsets = new Int32Array(blocks.length * positions.length)
  let next = 0
  for (const block of blocks) {
    for (const position of positions) offsets[next++] = block * length + position
  }
  return offsets
}
