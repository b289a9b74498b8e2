import { NETWORK_INPUT, type OpGraph, type OpNode } from './op-graph.ts'

/**
 * The same network with each max pooling moved ahead of the relu and the bias before it, which then work
 * on a fraction of the values: relu(max(x) + b) is max(relu(x + b)), as both grow with x. Weights keep
 * their order. Gradients are the same too but where rounding makes two sums of a window equal that were
 * not before: then the place of the larger gets what the first of equals would have got.
 *
 * For training: attribution wants the output of each layer as it stands in the model.
 */
export function poolEarly({ nodes }: OpGraph): OpGraph {
  const ordered: OpNode[] = []
  /** Where the output of a node is to be found now. */
  const now: number[] = []
  const readers = countReaders(nodes)
  for (const [i, { op, inputs }] of nodes.entries()) {
    const moved = inputs.map((input) => (input === NETWORK_INPUT ? input : now[input]!))
    // What the pooling overtakes must be read by nobody else.
    const follows = (kind: string) =>
      moved[0] === ordered.length - 1 && ordered.at(-1)?.op.kind === kind
    const isAlone = op.kind === 'max-pool' && readers[inputs[0]!] === 1
    const relu = isAlone && follows('relu') ? ordered.pop()! : undefined
    const before = relu === undefined ? inputs[0]! : nodes[inputs[0]!]!.inputs[0]!
    const [withoutBias, bias] =
      isAlone && readers[before] === 1 && now[before] === ordered.length - 1
        ? (ordered.at(-1)?.op.apart ?? [])
        : []
    if (withoutBias !== undefined && bias !== undefined) {
      ordered.push({ ...ordered.pop()!, op: withoutBias })
    }
    const read = relu === undefined && bias === undefined ? moved : [ordered.length - 1]
    ordered.push({ op, inputs: read })
    if (bias !== undefined) ordered.push({ op: bias, inputs: [ordered.length - 1] })
    if (relu !== undefined) ordered.push({ op: relu.op, inputs: [ordered.length - 1] })
    now[i] = ordered.length - 1
  }
  return { nodes: ordered }
}

function countReaders(nodes: readonly OpNode[]): number[] {
  const readers = nodes.map(() => 0)
  for (const { inputs } of nodes) {
    for (const input of inputs) if (input !== NETWORK_INPUT) readers[input]!++
  }
  return readers
}
