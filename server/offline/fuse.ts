import type * as tf from '@tensorflow/tfjs'
import type { ScorerName } from '../../shared/attribution/scorer-names.ts'
import type { ExampleSet } from '../../shared/data/example-set.ts'
import { subset } from '../../shared/data/subset.ts'
import { GraftError } from '../../shared/errors.ts'
import { headGroup, type NeuronGraph, neuronGraph } from '../../shared/model/neuron-graph.ts'
import { readWeights, type Weights } from '../../shared/model/weights.ts'
import { createRng, type Rng } from '../../shared/numeric/rng.ts'
import type { DiversityReport } from '../../shared/protocol/diversity-report.ts'
import { compareParents } from '../fusion/compare-parents.ts'
import { fuseParents } from '../fusion/fuse-parents.ts'
import { parentScores } from '../fusion/parent-scores.ts'
import { proxyExamples } from '../fusion/proxy-inputs.ts'
import { parseMethod } from '../fusion/strategies.ts'
import type { Fusion, FusionInput, Parent, ProxyExamples, Strategy } from '../fusion/strategy.ts'
import { splitProxy } from '../proxy/split-proxy.ts'

/** One network to fuse, in memory. */
export interface FuseParent {
  /** Unique; the ids' order is that of every sum and every tree. */
  readonly id: string
  /**
   * Weights under the names that the model has, or a model of the same layers, whose names may be others.
   * Borrowed, and never changed. Hidden widths may be others than the model's.
   */
  readonly weights: Weights | tf.LayersModel
  /** Examples it was trained on. @default the sum of `classCounts` */
  readonly numExamples?: number
  /** Training examples of each class, [class]. @default one of each */
  readonly classCounts?: readonly number[]
  /** What weighs its neurons, [group][neuron], as `attribute` gives it. */
  readonly scores?: readonly Float32Array[]
}

export interface FuseInput {
  /** A method with its options, as in `nt` or `kf-linear:head=mean`. */
  readonly method: string
  /** More options, each with one of the values that `STRATEGIES` lists. */
  readonly options?: Readonly<Record<string, string>>
  /** Topology and widths of the fused network; borrowed, its weights are neither read nor changed. */
  readonly model: tf.LayersModel
  readonly parents: readonly FuseParent[]
  /** Examples for methods that look at activations; borrowed. */
  readonly proxy?: ExampleSet | ProxyExamples
  /** Scores to compute on the proxy set, for parents that bring none. @default 'uniform' */
  readonly scores?: ScorerName
  /** Same seed, parents and engine: same bytes. @default 7 */
  readonly seed?: number
  /** What the method is at, in a few words. */
  readonly onProgress?: (detail: string) => void
  /** Once aborted, `fuse` rejects with its reason. */
  readonly signal?: AbortSignal
}

/** Examples of the proxy set that neurons are scored on, as many as methods look at. */
const SCORED = 2000

/**
 * Fuses networks into one, neuron by neuron. Methods that look at activations need an engine: call
 * `startEngine` before the first tensor.
 *
 * @returns fresh weights, in the order of the model's, and whose neurons they are
 * @throws GraftError GRAFT_STRATEGY_UNKNOWN, GRAFT_OPTION_INVALID, GRAFT_LAYER_UNSUPPORTED, GRAFT_STRATEGY_UNSUITABLE,
 *   GRAFT_SHAPE_MISMATCH, GRAFT_NOT_FINITE
 */
export async function fuse(input: FuseInput): Promise<Fusion> {
  const words = Object.entries(input.options ?? {}).map(([name, value]) => `:${name}=${value}`)
  const { strategy, options } = parseMethod(`${input.method}${words.join('')}`)
  const rng = createRng(String(input.seed ?? 7))
  const graph = neuronGraph(input.model)
  if (input.proxy !== undefined) assertFits(input.proxy, input.model, graph)
  const proxy = input.proxy && partsOf(input.proxy, strategy, rng.split('held-out'))
  const fusion: FusionInput = {
    parents: parentsOf(input.parents, graph),
    graph,
    options,
    rng: rng.split('fuse'),
    ...(proxy && { proxy }),
    ...(input.onProgress && { onProgress: input.onProgress }),
    ...(input.signal && { signal: input.signal }),
  }
  return fuseParents(strategy, await withScores(fusion, strategy, input.scores ?? 'uniform'))
}

/**
 * Says how diverse networks are before they are fused: weight distance after alignment, disagreement and CKA
 * at each level on the proxy set, and a forecast of what `nt` would make of them.
 *
 * @returns null of one parent
 * @throws GraftError GRAFT_OPTION_INVALID, GRAFT_LAYER_UNSUPPORTED, GRAFT_SHAPE_MISMATCH, GRAFT_NOT_FINITE
 */
export async function compare(
  input: Pick<FuseInput, 'model' | 'parents' | 'proxy' | 'seed' | 'onProgress' | 'signal'>,
): Promise<DiversityReport | null> {
  const { model, proxy, seed, onProgress, signal } = input
  const graph = neuronGraph(model)
  if (proxy !== undefined) assertFits(proxy, model, graph)
  const rng = createRng(String(seed ?? 7)).split('compare')
  return compareParents({
    ...{ parents: parentsOf(input.parents, graph), graph, rng },
    ...(proxy && { proxy: partsOf(proxy, {}, rng) }),
    ...(onProgress && { onProgress }),
    ...(signal && { signal }),
  })
}

/** @throws GraftError GRAFT_SHAPE_MISMATCH for examples that the model cannot take */
function assertFits(
  proxy: ExampleSet | ProxyExamples,
  model: tf.LayersModel,
  graph: NeuronGraph,
): void {
  const wanted = model.inputs[0]!.shape.slice(1)
  const { width } = headGroup(graph)
  for (const { inputShape, numClasses } of 'heldOut' in proxy
    ? [proxy.train, proxy.heldOut]
    : [proxy]) {
    const fits =
      inputShape.length === wanted.length &&
      wanted.every((length, axis) => length === null || length === inputShape[axis])
    if (fits && numClasses === width) continue
    throw new GraftError(
      'GRAFT_SHAPE_MISMATCH',
      `The proxy set has inputs [${inputShape.join()}] of ${numClasses} classes, and the model takes ` +
        `[${wanted.map((length) => length ?? 'any').join()}] and tells ${width} classes apart.`,
    )
  }
}

/** Parents as strategies take them. @throws GraftError GRAFT_OPTION_INVALID for an id given twice */
export function parentsOf(parents: readonly FuseParent[], graph: NeuronGraph): Parent[] {
  const { width } = headGroup(graph)
  const seen = new Set<string>()
  return parents.map(({ id, weights, scores = [], ...trained }) => {
    if (seen.has(id)) throw new GraftError('GRAFT_OPTION_INVALID', `Two parents are named ${id}.`)
    seen.add(id)
    const classCounts = trained.classCounts ?? Array<number>(width).fill(1)
    return {
      id,
      numExamples: trained.numExamples ?? classCounts.reduce((sum, count) => sum + count, 0),
      classCounts,
      scores,
      load: async () => (isWeights(weights) ? weights : namedAs(await readWeights(weights), graph)),
    }
  })
}

const isWeights = (weights: Weights | tf.LayersModel): weights is Weights => Array.isArray(weights)

/** Models of the same layers have other names when they were made one after the other: place decides. */
export function namedAs(weights: Weights, graph: NeuronGraph): Weights {
  const isSameKind =
    weights.length === graph.weights.length &&
    weights.every(({ shape }, i) => shape.length === graph.weights[i]!.shape.length)
  // Nothing that fits by place: the names say what is wrong.
  if (!isSameKind) return weights
  return weights.map((tensor, i) => ({ ...tensor, name: graph.weights[i]!.name }))
}

/** A set that nobody split is looked at as a whole, but for what candidates are to be judged by. */
export function partsOf(
  proxy: ExampleSet | ProxyExamples,
  { usesHeldOut }: Pick<Strategy, 'usesHeldOut'>,
  rng: Rng,
): ProxyExamples {
  if ('heldOut' in proxy) return proxy
  return usesHeldOut === true
    ? splitProxy(proxy, rng)
    : { train: proxy, heldOut: subset(proxy, []) }
}

async function withScores(
  input: FusionInput,
  { name, usesHeldOut }: Strategy,
  scorer: ScorerName,
): Promise<FusionInput> {
  const { options, parents, graph, proxy, rng, onProgress } = input
  const asksForSent = options['scores'] === 'sent'
  const bringAll = parents.every(({ scores }) => scores.length > 0)
  if (bringAll) return input
  if (scorer === 'uniform') {
    return asksForSent ? { ...input, options: { ...options, scores: 'uniform' } } : input
  }
  const areRead = asksForSent || options['importance'] === 'attribution' || usesHeldOut === true
  if (!areRead || proxy === undefined) return input
  const examples = proxyExamples(input, { strategy: name, count: SCORED, rng: rng.split('scores') })
  const scored: Parent[] = []
  for (const parent of parents) {
    input.signal?.throwIfAborted()
    onProgress?.(`${scorer} of ${parent.id}`)
    const [scores = []] = await parentScores(scorer, [parent], graph, examples)
    scored.push({ ...parent, scores: scores.map((ofGroup) => Float32Array.from(ofGroup)) })
  }
  return { ...input, parents: scored }
}
