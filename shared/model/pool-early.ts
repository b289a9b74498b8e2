import { NETWORK_INPUT, type OpGraph, type OpNode } from './op-graph.ts'
import type { Op } from './ops/op.ts'

/**
 * The same network with each max pooling moved ahead of the relu and the bias before it, which then work
 * on a fraction of the values: relu(max(x) + b) is max(relu(x + b)), as both grow with x. Weights keep
 * their order. Gradients are the same too but where rounding makes two sums of a window equal that were
 * not before: then the place of the larger gets what the first of equals would have got.
 *
 * For training: attribution wants the output of each layer as it stands in the model.
 */
export function poolEarly({ nodes }: OpGraph): OpGraph {
  const ordered: OrderedNode[] = []
  /** Where the output of a node is to be found now. */
  const now: number[] = []
  const readers = countReaders(nodes)
  for (const [i, { op, inputs }] of nodes.entries()) {
    const moved = inputs.map((input) => (input === NETWORK_INPUT ? input : now[input]!))
    if (op.kind === 'max-pool') overtake(ordered, op, moved[0]!)
    else ordered.push({ op, inputs: moved, readers: 1 })
    ordered.at(-1)!.readers = readers[i]!
    now[i] = ordered.length - 1
  }
  return { nodes: ordered.map(({ op, inputs }) => ({ op, inputs })) }
}

/** Adds a pooling of what node `read` makes ahead of what it can overtake, and that behind it. */
function overtake(ordered: OrderedNode[], pool: Op, read: number): void {
  const overtaken: Op[] = []
  let from = read
  /** The node that is read, if it is the last one so far and nothing else reads it. */
  const alone = () => {
    const last = ordered.at(-1)
    return last?.readers === 1 && from === ordered.length - 1 ? last : undefined
  }
  const relu = alone()
  if (relu?.op.kind === 'relu') {
    ordered.pop()
    overtaken.push(relu.op)
    from = relu.inputs[0]!
  }
  const biased = alone()
  if (biased?.op.apart !== undefined) {
    const [withoutBias, bias] = biased.op.apart
    ordered[ordered.length - 1] = { ...biased, op: withoutBias }
    overtaken.unshift(bias)
  }
  ordered.push({ op: pool, inputs: [from], readers: 1 })
  for (const op of overtaken) ordered.push({ op, inputs: [ordered.length - 1], readers: 1 })
}

interface OrderedNode extends OpNode {
  /** How many nodes read its output. */
  readers: number
}

function countReaders(nodes: readonly OpNode[]): number[] {
  const readers = nodes.map(() => 0)
  for (const { inputs } of nodes) {
    for (const input of inputs) if (input !== NETWORK_INPUT) readers[input]!++
  }
  return readers
}
