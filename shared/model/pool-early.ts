import type { Chain } from './chain.ts'
import type { ChainOp } from './chain-ops/chain-op.ts'

/**
 * The same network with each max pooling moved ahead of the relu and the bias before it, which then work
 * on a fraction of the values: relu(max(x) + b) is max(relu(x + b)), as both grow with x. Weights keep
 * their order. Gradients are the same too but where rounding makes two sums of a window equal that were
 * not before: then the place of the larger gets what the first of equals would have got.
 *
 * For training: attribution wants the output of each layer as it stands in the model.
 */
export function poolEarly({ ops }: Chain): Chain {
  const ordered: ChainOp[] = []
  for (const op of ops) {
    const overtaken: ChainOp[] = []
    if (op.kind === 'max-pool') {
      if (ordered.at(-1)?.kind === 'relu') overtaken.unshift(ordered.pop()!)
      const [withoutBias, bias] = ordered.at(-1)?.apart ?? []
      if (withoutBias !== undefined && bias !== undefined) {
        ordered.splice(-1, 1, withoutBias)
        overtaken.unshift(bias)
      }
    }
    ordered.push(op, ...overtaken)
  }
  return { ops: ordered }
}
