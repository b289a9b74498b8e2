import type * as tf from '@tensorflow/tfjs'
import type { ExampleSet } from '../../shared/data/example-set.ts'
import { neuronGraph } from '../../shared/model/neuron-graph.ts'
import { openAlone } from '../../shared/model/weight-reader.ts'
import { type ClassEvaluation, judge } from '../../shared/training/evaluate.ts'
import { predictWith } from '../../shared/training/predict.ts'
import { classShares } from '../fusion/class-shares.ts'
import { measureWidths } from '../fusion/measure-widths.ts'
import { inIdOrder } from '../fusion/parents.ts'
import type { Parent } from '../fusion/strategy.ts'
import { createBenchNetwork } from './bench-network.ts'
import { centreRows, normaliseRows, softmaxRows } from '../../shared/numeric/rows.ts'

/** What the parents of a round say about one set of examples. */
export interface Opinion {
  /** How good each parent is, by id, in the order of the ids. */
  readonly parents: ReadonlyMap<string, ClassEvaluation>
  /** Probabilities of the ensemble, [example, class], row-major. */
  readonly probabilities: Float32Array
  /** How good the ensemble is. */
  readonly ensemble: ClassEvaluation
}

/**
 * Runs every parent once over all sets, and forms their ensemble from the same logits: each parent's
 * softmax, weighed for each class by its share of all examples of that class, each row divided by its sum:
 * `p[c] = sum_k s[k][c] softmax(z_k)[c] / sum_c' sum_k s[k][c'] softmax(z_k)[c']`.
 * Non-IID parents are compared with this ensemble in NI (arXiv 2507.00037). Each parent is loaded once,
 * one at a time.
 *
 * @param model of the parents' architecture, but for hidden widths; borrowed, and left as it is
 * @returns one opinion a set, in their order
 * @throws GraftError GRAFT_SHAPE_MISMATCH when a parent is of another architecture
 */
export async function askParents(
  model: tf.LayersModel,
  parents: readonly Parent[],
  sets: readonly ExampleSet[],
): Promise<Opinion[]> {
  const asked = sets.map((examples) => ({
    examples,
    parents: new Map<string, ClassEvaluation>(),
    sums: new Float64Array(examples.labels.length * examples.numClasses),
  }))
  await forEachAnswer(model, parents, sets, ({ parent, set, logits, shares }) => {
    const { examples, parents: judged, sums } = asked[set]!
    judged.set(parent.id, judge(logits, examples))
    addWeighted(sums, softmaxRows(logits, examples.numClasses), shares)
  })
  return asked.map(({ examples, parents: judged, sums }) => {
    const probabilities = normaliseRows(sums, examples.numClasses)
    return { parents: judged, probabilities, ensemble: judgeProbabilities(probabilities, examples) }
  })
}

/**
 * The same ensemble in logits: each parent's, less their mean, weighed by class shares,
 * `z[c] = sum_k s[k][c] (z_k[c] - mean_c' z_k[c'])`, and again less their mean. A single network can come
 * close to a sum of logits, as it is one itself, but for the shares; less so to a sum of probabilities.
 *
 * @param model as for {@link askParents}
 * @returns for each set, [example, class], row-major, rows of mean 0
 * @throws GraftError GRAFT_SHAPE_MISMATCH when a parent is of another architecture
 */
export async function ensembleLogits(
  model: tf.LayersModel,
  parents: readonly Parent[],
  sets: readonly ExampleSet[],
): Promise<Float32Array[]> {
  const sums = sets.map(({ labels, numClasses }) => new Float64Array(labels.length * numClasses))
  await forEachAnswer(model, parents, sets, ({ set, logits, shares }) => {
    addWeighted(sums[set]!, centreRows(logits, shares.length), shares)
  })
  return sums.map((sum, set) => centreRows(Float32Array.from(sum), sets[set]!.numClasses))
}

interface Answer {
  readonly parent: Parent
  /** Index of the set of examples. */
  readonly set: number
  /** [example, class], row-major; the receiver may change them. */
  readonly logits: Float32Array
  /** Of the parent, [class]. */
  readonly shares: Float64Array
}

/** Accuracy of the ensemble that some parents' probabilities make, [parent][example, class], with these class shares. */
export function ensembleAccuracy(
  probabilities: readonly Float32Array[],
  shares: readonly Float64Array[],
  examples: ExampleSet,
): number {
  const sums = new Float64Array(examples.labels.length * examples.numClasses)
  for (const [k, ofParent] of probabilities.entries()) addWeighted(sums, ofParent, shares[k]!)
  return judgeProbabilities(normaliseRows(sums, examples.numClasses), examples).accuracy
}

/** Loads each parent once, one at a time, in the order of the ids. */
export async function forEachAnswer(
  model: tf.LayersModel,
  parents: readonly Parent[],
  sets: readonly ExampleSet[],
  receive: (answer: Answer) => void,
): Promise<void> {
  const graph = neuronGraph(model)
  const ordered = inIdOrder(parents)
  const shares = classShares(ordered.map(({ classCounts }) => classCounts))
  for (const [k, parent] of ordered.entries()) {
    const reader = await openAlone(parent)
    measureWidths(reader.shapes, graph, parent.id)
    const onEngine = createBenchNetwork(reader.shapes)
    try {
      await onEngine.load(reader)
      for (const [set, examples] of sets.entries()) {
        const logits = await predictWith(graph.ops, onEngine.source, examples)
        receive({ parent, set, logits, shares: shares[k]! })
      }
    } finally {
      onEngine.dispose()
    }
  }
}

/** Smallest probability a loss is taken of: class shares may give a class exactly 0. */
const TINY = 1e-7

function judgeProbabilities(probabilities: Float32Array, examples: ExampleSet): ClassEvaluation {
  return judge(
    probabilities.map((p) => Math.log(Math.max(p, TINY))),
    examples,
  )
}

function addWeighted(sums: Float64Array, probabilities: Float32Array, share: Float64Array): void {
  for (let i = 0; i < sums.length; i++) sums[i]! += probabilities[i]! * share[i % share.length]!
}
