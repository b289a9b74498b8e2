import * as tf from '@tensorflow/tfjs'
import { layerOps } from './layer-ops.ts'
import {
  type Op,
  type PassOptions,
  type StepBack,
  type StepForward,
  unsupported,
} from './ops/op.ts'

/** Stands for the input of the network among the inputs of a node. */
export const NETWORK_INPUT = -1

export interface OpNode {
  readonly op: Op
  /** Nodes that it reads, by index, all of them earlier; {@link NETWORK_INPUT} is the network's input. */
  readonly inputs: readonly number[]
}

/**
 * A network as operations, each with its own way back, in an order in which they can run. It holds no
 * numbers, so one graph runs every network of its shape, and of other widths.
 */
export interface OpGraph {
  /** The last one gives the logits. */
  readonly nodes: readonly OpNode[]
}

/** Finds a weight by its name; the tensor is borrowed. */
export type WeightSource = (name: string) => tf.Tensor

/** A forward pass and what is needed to walk back through it. */
export interface ForwardPass {
  /** Output of each node, [batch, ...]; the last one is the logits, [batch, classes]. */
  readonly outputs: readonly tf.Tensor[]
  /**
   * Gradients of sum(dOutput * output), with respect to the trainable weights in the order of
   * {@link trainableWeights}, and with respect to the outputs of the nodes that `wants` accepts.
   */
  backward(dOutput: tf.Tensor, options?: BackwardOptions): Gradients
  /** A node's own way back: gradients at its inputs for one at its output. */
  back(node: number, dy: tf.Tensor): readonly tf.Tensor[]
}

export interface BackwardOptions {
  /** Given, then only gradients at outputs count: weights get none. */
  readonly wants?: (node: number) => boolean
  /** Another way back for some nodes; undefined takes the node's own. */
  readonly rule?: (node: number, dy: tf.Tensor) => readonly tf.Tensor[] | undefined
}

export interface Gradients {
  /** One tensor a trainable weight; empty when `wants` was given. */
  readonly weights: tf.Tensor[]
  /** By index of the node. */
  readonly outputs: ReadonlyMap<number, tf.Tensor>
}

/**
 * Reads a model's own graph of layers. One explicit way back instead of tfjs's tape: it halves a training
 * step, and attribution gets the gradients at every level from a single pass.
 *
 * @param model borrowed; its weights are not kept
 * @throws GraftError GRAFT_LAYER_UNSUPPORTED naming the first layer that cannot be run
 */
export function opGraphOf(model: tf.LayersModel): OpGraph {
  if (model.inputs.length !== 1 || model.outputs.length !== 1) {
    throw unsupported(model.layers.at(-1)!, 'belongs to a network of several inputs or outputs')
  }
  const nodes: OpNode[] = []
  /** Node that gives a symbolic tensor. */
  const madeBy = new Map<number, number>()
  madeBy.set(model.inputs[0]!.id, NETWORK_INPUT)
  for (const layer of inOrder(model)) {
    let inputs = inputsOf(layer).map(({ id }) => madeBy.get(id)!)
    for (const op of layerOps(layer)) {
      nodes.push({ op, inputs })
      inputs = [nodes.length - 1]
    }
    madeBy.set((layer.output as tf.SymbolicTensor).id, inputs[0]!)
  }
  return { nodes }
}

/** The weights that training changes, by name, in the order of the ops. */
export function trainableWeights({ nodes }: OpGraph): string[] {
  return nodes.flatMap(({ op }) =>
    op.weights.flatMap(({ name, isTrainable }) => (isTrainable ? [name] : [])),
  )
}

/**
 * The nodes from `from` to `to`, `to` included, as a network of their own, whose input is what node
 * `from - 1` makes.
 *
 * @throws RangeError when a node between them reads something from before
 */
export function sliceGraph({ nodes }: OpGraph, from: number, to: number): OpGraph {
  return {
    nodes: nodes.slice(from, to + 1).map(({ op, inputs }) => {
      const moved = inputs.map((input) => (input === from - 1 ? NETWORK_INPUT : input - from))
      if (moved.some((input) => input < NETWORK_INPUT)) {
        throw new RangeError(`${op.layer} reads across the cut before node ${from}`)
      }
      return { op, inputs: moved }
    }),
  }
}

/**
 * Runs a network on a batch and keeps all it needs to walk back. Call it in `tf.tidy`: intermediate
 * results belong to the caller.
 * @param x [batch, ...inputShape]; borrowed
 */
export function forward(
  { nodes }: OpGraph,
  x: tf.Tensor,
  weights: WeightSource,
  options: PassOptions = {},
): ForwardPass {
  const outputs: tf.Tensor[] = []
  const backs: StepForward['back'][] = []
  for (const { op, inputs } of nodes) {
    const read = inputs.map((input) => (input === NETWORK_INPUT ? x : outputs[input]!))
    const values = op.weights.map(({ name }) => weights(name))
    const { y, back } = op.forward(read, values, options)
    outputs.push(y)
    backs.push(back)
  }
  return {
    outputs,
    backward: (dOutput, backward = {}) => walkBack(nodes, backs, dOutput, backward),
    back: (node, dy) => backs[node]!(dy, { inputs: true, weights: false }).dInputs,
  }
}

function walkBack(
  nodes: readonly OpNode[],
  backs: readonly StepForward['back'][],
  dOutput: tf.Tensor,
  { wants, rule }: BackwardOptions,
): Gradients {
  const wanted = new Map<number, tf.Tensor>()
  const weights: tf.Tensor[] = []
  const needed = neededNodes(nodes, wants)
  const arriving: (tf.Tensor | undefined)[] = nodes.map(() => undefined)
  arriving[nodes.length - 1] = dOutput
  for (let i = nodes.length - 1; i >= 0; i--) {
    const dy = arriving[i]
    if (dy === undefined) continue
    if (wants?.(i) === true) wanted.set(i, dy)
    const { op, inputs } = nodes[i]!
    const needs = {
      inputs: inputs.some((input) => input !== NETWORK_INPUT && needed[input]!),
      weights: wants === undefined && op.weights.some(({ isTrainable }) => isTrainable),
    }
    if (!needs.inputs && !needs.weights) continue
    const ruled = needs.inputs ? rule?.(i, dy) : undefined
    const own: StepBack = backs[i]!(dy, ruled === undefined ? needs : { ...needs, inputs: false })
    weights.unshift(...own.dWeights)
    const dInputs = ruled ?? own.dInputs
    for (const [k, input] of inputs.entries()) {
      if (input === NETWORK_INPUT || !needed[input]!) continue
      const before = arriving[input]
      arriving[input] = before === undefined ? dInputs[k]! : tf.add(before, dInputs[k]!)
    }
  }
  return { weights, outputs: wanted }
}

/** Nodes whose output's gradient is asked for, by them or by something before them. */
function neededNodes(nodes: readonly OpNode[], wants: BackwardOptions['wants']): boolean[] {
  const needed: boolean[] = []
  for (const [i, { op, inputs }] of nodes.entries()) {
    const own = wants === undefined ? op.weights.some(({ isTrainable }) => isTrainable) : wants(i)
    needed.push(own || inputs.some((input) => input !== NETWORK_INPUT && needed[input]!))
  }
  return needed
}

/**
 * Runs a network on a batch, freeing each result as soon as nothing reads it any more.
 * @param x [batch, ...inputShape]; borrowed
 * @param keep nodes whose outputs are wanted
 * @returns their outputs, in the order of `keep`; the caller owns them
 */
export function run(
  { nodes }: OpGraph,
  x: tf.Tensor,
  weights: WeightSource,
  keep: readonly number[] = [nodes.length - 1],
): tf.Tensor[] {
  const last = Math.max(...keep)
  const readers = lastReaders(nodes.slice(0, last + 1))
  // The outer tidy frees what is alive when an op throws.
  return tf.tidy(() => {
    const outputs: tf.Tensor[] = []
    for (const [i, { op, inputs }] of nodes.slice(0, last + 1).entries()) {
      const y = tf.tidy(() => {
        const read = inputs.map((input) => (input === NETWORK_INPUT ? x : outputs[input]!))
        const values = op.weights.map(({ name }) => weights(name))
        const { y } = op.forward(read, values, {})
        // An op that does nothing must not hand out what it was lent.
        return read.includes(y) ? y.clone() : y
      })
      outputs.push(y)
      for (const read of new Set([...inputs, i])) {
        const isDone = read !== NETWORK_INPUT && readers[read] === i
        if (isDone && !keep.includes(read)) outputs[read]!.dispose()
      }
    }
    return keep.map((node) => outputs[node]!)
  })
}

/** For each node the last one that reads it; itself where none does. */
export function lastReaders(nodes: readonly OpNode[]): number[] {
  const readers = nodes.map((_, i) => i)
  for (const [i, { inputs }] of nodes.entries()) {
    for (const input of inputs) if (input !== NETWORK_INPUT) readers[input] = i
  }
  return readers
}

/** What is to be run again when one node's output is replaced. */
export interface Rerun {
  /** Outputs of every node in a first pass over x. */
  readonly outputs: readonly tf.Tensor[]
  readonly x: tf.Tensor
  readonly node: number
  /** [copy * example, ...]: the output to put in its place, several versions behind each other. */
  readonly value: tf.Tensor
  readonly copies: number
}

/**
 * Runs what depends on a node again with another output of it; what does not is repeated as it was.
 * Call it in `tf.tidy`.
 * @returns logits, [copy * example, class]
 */
export function runFrom({ nodes }: OpGraph, rerun: Rerun, weights: WeightSource): tf.Tensor {
  const { outputs, x, node, value, copies } = rerun
  const again = new Map([[node, value]])
  const repeated = (before: tf.Tensor) =>
    tf.tile(before, [copies, ...before.shape.slice(1).map(() => 1)])
  for (let i = node + 1; i < nodes.length; i++) {
    const { op, inputs } = nodes[i]!
    if (!inputs.some((input) => again.has(input))) continue
    const read = inputs.map(
      (input) => again.get(input) ?? repeated(input === NETWORK_INPUT ? x : outputs[input]!),
    )
    const values = op.weights.map(({ name }) => weights(name))
    again.set(i, op.forward(read, values, {}).y)
  }
  return again.get(nodes.length - 1)!
}

/** Layers in an order in which they can run: as they were made, unless a layer reads a later one. */
function inOrder(model: tf.LayersModel): tf.layers.Layer[] {
  const left = model.layers.toSorted((a, b) => a.id - b.id)
  const made = new Set([model.inputs[0]!.id])
  const ordered: tf.layers.Layer[] = []
  while (left.length > 0) {
    const next = left.findIndex((layer) => inputsOf(layer).every(({ id }) => made.has(id)))
    if (next === -1) throw unsupported(left[0]!, 'reads what no layer of the network makes')
    const [layer] = left.splice(next, 1)
    made.add((layer!.output as tf.SymbolicTensor).id)
    ordered.push(layer!)
  }
  return ordered
}

function inputsOf(layer: tf.layers.Layer): tf.SymbolicTensor[] {
  if (layer.inboundNodes.length !== 1) throw unsupported(layer, 'is used more than once')
  return [layer.input].flat()
}
