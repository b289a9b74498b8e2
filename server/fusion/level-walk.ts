import * as tf from '@tensorflow/tfjs'
import type { NeuronGraph } from '../../shared/model/neuron-graph.ts'
import { run, sliceGraph, type WeightSource } from '../../shared/model/op-graph.ts'
import { createYielder } from '../../shared/training/yielder.ts'

/** Numbers of all activations of a pass: 32 million take 128 MB. */
const PASS_VALUES = 32e6

/**
 * Follows examples through a network level by level, holding no more than what lies at the cut it has
 * come to. Call `dispose` when done.
 */
export interface LevelWalk {
  /** What the next level reads, [example, ...]; the walk's own. */
  readonly input: () => tf.Tensor
  /**
   * Outputs of nodes that lie ahead, [example, ...] each, in the order asked for; the caller's own.
   */
  look(nodes: readonly number[]): Promise<tf.Tensor[]>
  /** Goes on to the output of this node, which every path must cross. */
  pass(node: number): Promise<void>
  dispose(): void
}

/** @param x inputs of the network, [example, ...]; borrowed */
export function createLevelWalk(
  graph: NeuronGraph,
  weights: WeightSource,
  x: tf.Tensor,
): LevelWalk {
  let at = x
  let from = 0

  async function look(nodes: readonly number[]): Promise<tf.Tensor[]> {
    const slice = sliceGraph(graph.ops, from, Math.max(...nodes))
    return runInBatches(at, (batch) =>
      run(
        slice,
        batch,
        weights,
        nodes.map((node) => node - from),
      ),
    )
  }

  return {
    input: () => at,
    look,
    async pass(node) {
      const [next] = await look([node])
      if (at !== x) at.dispose()
      at = next!
      from = node + 1
    },
    dispose() {
      if (at !== x) at.dispose()
    },
  }
}

/**
 * Runs a function over examples in batches, and joins what it gives.
 *
 * @param x [example, ...]; borrowed
 * @param compute tensors [batch, ...] of its own for a batch that it borrows
 * @returns [example, ...] each
 */
export async function runInBatches(
  x: tf.Tensor,
  compute: (batch: tf.Tensor) => tf.Tensor[],
): Promise<tf.Tensor[]> {
  const size = x.shape[0]
  const rest = x.shape.slice(1)
  const breathe = createYielder()
  const parts: tf.Tensor[][] = []
  // The first batch has shown how much an example takes.
  let step = Math.min(size, 16)
  for (let start = 0; start < size;) {
    const count = Math.min(step, size - start)
    const outputs = tf.tidy(() =>
      compute(tf.slice(x, [start, ...rest.map(() => 0)], [count, ...rest])),
    )
    parts.push(outputs)
    start += count
    const values = outputs.reduce((sum, output) => sum + output.size, 0) / count
    step = Math.max(1, Math.min(1024, Math.floor(PASS_VALUES / (values * 8))))
    await breathe()
  }
  if (parts.length === 1) return parts[0]!
  const joined = parts[0]!.map((_, i) => tf.concat(parts.map((outputs) => outputs[i]!)))
  tf.dispose(parts.flat())
  return joined
}
