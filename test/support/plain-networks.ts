import type { FusionInput, Parent, RoundStart } from '../../server/fusion/strategy.ts'
import type { Architecture } from '../../shared/model/architecture.ts'
import type { LayerSpec } from '../../shared/model/layer-spec.ts'
import { buildModel } from '../../shared/model/build-model.ts'
import { type NeuronGraph, neuronGraph, shapesWith } from '../../shared/model/neuron-graph.ts'
import { type NamedTensor, sizeOf, type Weights } from '../../shared/model/weights.ts'
import { createRng, type Rng } from '../../shared/numeric/rng.ts'

/** The neurons of an architecture. */
export function graphOf(architecture: Architecture): NeuronGraph {
  const model = buildModel(architecture, createRng('overwritten'))
  try {
    return neuronGraph(model)
  } finally {
    model.dispose()
  }
}

/** Graph of a dense network with biases; `widths` begins with the inputs and ends with the classes. */
export function denseGraph([inputs = 0, ...widths]: readonly number[]): NeuronGraph {
  const layers = widths.flatMap((units, i): LayerSpec[] => [
    ...(i > 0 ? [{ kind: 'relu' } as const] : []),
    { kind: 'dense', name: `fc${i + 1}`, units, bias: true },
  ])
  return graphOf({ name: 'dense', inputShape: [inputs], numClasses: widths.at(-1)!, layers })
}

/** Graph of conv1 (3x3) - bn1 - flatten of `positions` - fc1, as `[channels in, channels, classes]`. */
export function convGraph(
  [inputs, channels, classes]: readonly [number, number, number],
  positions: number,
): NeuronGraph {
  const conv = {
    filters: channels,
    kernelSize: 3,
    strides: 1,
    padding: 'same',
    bias: true,
  } as const
  return graphOf({
    name: 'conv',
    inputShape: [1, positions, inputs],
    numClasses: classes,
    layers: [
      { kind: 'conv2d', name: 'conv1', ...conv },
      { kind: 'batch-norm', name: 'bn1' },
      { kind: 'flatten' },
      { kind: 'dense', name: 'fc1', units: classes, bias: true },
    ],
  })
}

/**
 * Seeded weights in [-1, 1) of a network.
 * @param widths neurons of each group, [group]; the graph's own unless given
 */
export function randomWeights(
  graph: NeuronGraph,
  rng: Rng,
  widths: readonly number[] = graph.groups.map(({ width }) => width),
): Weights {
  return shapesWith(graph, widths).map(({ name, shape }) => ({
    name,
    shape,
    data: Float32Array.from({ length: sizeOf(shape) }, () => rng.next() * 2 - 1),
  }))
}

/** A round's start of which nothing is remembered; clients of two steps each. */
export function startOf(global: Weights, known: Partial<RoundStart> = {}): RoundStart {
  return {
    globalModel: { load: async () => copyOf(global) },
    state: {},
    numClients: 2,
    training: { learningRate: 0.1, countSteps: () => 2 },
    ...known,
  }
}

/** A parent with weights that are copied at every load, so that a change of one is seen in none. */
export function parentOf(id: string, weights: Weights, known: Partial<Parent> = {}): Parent {
  const classes = weights.at(-1)!.data.length
  return {
    id,
    numExamples: 10,
    classCounts: Array.from({ length: classes }, () => 10 / classes),
    scores: [],
    load: async () => copyOf(weights),
    ...known,
  }
}

/** Parents of random weights, named so that they are in order: a, b, ... */
export function randomParents(graph: NeuronGraph, count: number, seed = 'parents'): Parent[] {
  return Array.from({ length: count }, (_, k) => {
    const id = String.fromCharCode(97 + k)
    return parentOf(id, randomWeights(graph, createRng(seed).split(id)))
  })
}

/** What a strategy that needs no examples is given. */
export function fusionOf(
  parents: readonly Parent[],
  graph: NeuronGraph,
  options: Readonly<Record<string, string>> = {},
): FusionInput {
  return { parents, graph, options, rng: createRng('fusion') }
}

export const copyOf = (weights: Weights): NamedTensor[] =>
  weights.map(({ name, shape, data }) => ({ name, shape, data: data.slice() }))

/** Logits of a dense network with ReLUs between its layers, in slow float64. */
export function denseLogits(weights: Weights, input: readonly number[]): number[] {
  const layers = weights.filter(({ name }) => name.endsWith('.kernel'))
  return layers.reduce(
    (values, kernel, l) => {
      const bias = weights.find(({ name }) => name === kernel.name.replace('kernel', 'bias'))!
      const outputs = kernel.shape[1]!
      return Array.from({ length: outputs }, (_, j) => {
        const sum = values.reduce(
          (total, value, i) => total + value * kernel.data[i * outputs + j]!,
          bias.data[j]!,
        )
        return l === layers.length - 1 ? sum : Math.max(0, sum)
      })
    },
    [...input],
  )
}
