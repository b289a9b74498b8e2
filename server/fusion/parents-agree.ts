import { GraftError } from '../../shared/errors.ts'
import type { NamedTensor } from '../../shared/model/weights.ts'

/** Names and shapes of a network's weights, in order, and whose they are. */
export interface Shapes {
  readonly id: string
  readonly weights: readonly Pick<NamedTensor, 'name' | 'shape'>[]
}

/**
 * Checks that two networks have the same weights in the same order.
 *
 * @param isFree may this axis of this weight differ, as hidden widths may? No axis may unless given
 * @throws GraftError GRAFT_SHAPE_MISMATCH naming both parents and the weight
 */
export function assertParentsAgree(
  first: Shapes,
  other: Shapes,
  isFree: (weight: string, axis: number) => boolean = () => false,
): void {
  if (first.weights.length !== other.weights.length) {
    throw new GraftError(
      'GRAFT_SHAPE_MISMATCH',
      `Parent ${first.id} has ${first.weights.length} weights, ${other.id} has ${other.weights.length}.`,
    )
  }
  first.weights.forEach((expected, i) => {
    const actual = other.weights[i]!
    const isSame =
      expected.name === actual.name &&
      expected.shape.length === actual.shape.length &&
      expected.shape.every((dim, axis) => dim === actual.shape[axis] || isFree(actual.name, axis))
    if (!isSame) {
      throw new GraftError(
        'GRAFT_SHAPE_MISMATCH',
        `Parent ${first.id} has ${describe(expected)}, ${other.id} has ${describe(actual)}.`,
      )
    }
  })
}

function describe({ name, shape }: Pick<NamedTensor, 'name' | 'shape'>): string {
  return `${name} [${shape.join(',')}]`
}
