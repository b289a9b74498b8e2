import * as tf from '@tensorflow/tfjs'
import { columnDistances } from '../../../server/fusion/column-distances.ts'
import { gitRebasin, meanCosts } from '../../../server/fusion/git-rebasin.ts'
import { groupActivations } from '../../../server/fusion/group-activations.ts'
import { masses, otFusion } from '../../../server/fusion/otfusion.ts'
import { inputTensor } from '../../../server/fusion/proxy-inputs.ts'
import type { Strategy } from '../../../server/fusion/strategy.ts'
import type { NeuronGraph } from '../../../shared/model/neuron-graph.ts'
import { assign } from '../../../shared/numeric/assignment.ts'
import { createRng } from '../../../shared/numeric/rng.ts'
import { transportPlan } from '../../../shared/numeric/transport.ts'
import {
  compare,
  compareFloats,
  compareWeights,
  type Comparison,
  type Tolerance,
  toleranceOf,
} from '../compare.ts'
import {
  examplesOf,
  type Fixture,
  floats,
  graphOf,
  integers,
  logitsOf,
  modelOf,
  weightsUnder,
} from '../fixture.ts'
import { parentsOf } from '../parents-of.ts'
import { referenceScores } from './reference-scores.ts'

const EXACT: Tolerance = { kind: 'exact', value: 0 }

/** `d_gitrebasin_*`: costs, permutations, weights and logits. */
export async function checkGitRebasin(fixture: Fixture): Promise<Comparison[]> {
  return checkVariants(fixture, gitRebasin, async ({ prefix, graph, scores }) => {
    const activations = await activationsOf(fixture, graph, 'post')
    const comparisons: Comparison[] = []
    for (const { index, name, isHead } of graph.groups) {
      const [first, second] = activations.map((groups) => groups[index]!)
      // The reference puts a relu behind the logits too.
      const [a, b] = [tf.relu(first!), tf.relu(second!)]
      const cost = meanCosts(
        await columnDistances(a, b),
        Float64Array.from(scores[0]![index]!),
        Float64Array.from(scores[1]![index]!),
      )
      const size = a.shape[1]
      tf.dispose([a, b])
      const pairs = isHead
        ? Int32Array.from({ length: size }, (_, i) => i)
        : assign(cost, { rows: size, columns: size })
      const assignment = `${prefix}assignment.${name}`
      comparisons.push(
        compareFloats(fixture, `${prefix}cost.${name}`, cost, toleranceOf(fixture, 'cost')),
        compare(assignment, pairs, integers(fixture, assignment), EXACT),
      )
    }
    tf.dispose(activations.flat())
    return comparisons
  })
}

/** `d_otfusion_*`: costs, masses, plans, weights and logits. */
export async function checkOtFusion(fixture: Fixture): Promise<Comparison[]> {
  return checkVariants(fixture, otFusion, async ({ prefix, graph, scores }) => {
    const activations = await activationsOf(fixture, graph, 'pre')
    const comparisons: Comparison[] = []
    for (const { index, name } of graph.groups) {
      const [staying, moving] = activations.map((groups) => groups[index]!)
      const cost = await columnDistances(moving!, staying!)
      const [mu, nu] = [1, 0].map((parent) => masses(Float64Array.from(scores[parent]![index]!)))
      const plan = transportPlan(cost, mu!, nu!)
      const mass: Tolerance = { kind: 'largest', value: 1e-3 }
      comparisons.push(
        compareFloats(fixture, `${prefix}cost.${name}`, cost, toleranceOf(fixture, 'cost')),
        compareFloats(fixture, `${prefix}mu.${name}`, mu!, mass),
        compareFloats(fixture, `${prefix}nu.${name}`, nu!, mass),
        comparePlans(fixture, `${prefix}plan.${name}`, plan, cost),
      )
    }
    tf.dispose(activations.flat())
    return comparisons
  })
}

/** Where another plan of the same total cost is allowed, that counts. */
function comparePlans(
  fixture: Fixture,
  tensor: string,
  plan: Float64Array,
  cost: Float64Array,
): Comparison {
  const close = compareFloats(fixture, tensor, plan, toleranceOf(fixture, 'plan'))
  if (close.error <= close.tolerance) return close
  const price = (of: ArrayLike<number>) => cost.reduce((sum, c, at) => sum + c * of[at]!, 0)
  const error = Math.abs(price(plan) / price(floats(fixture, tensor)) - 1)
  return { tensor, error, tolerance: 1e-4 }
}

interface Variant {
  readonly prefix: string
  readonly graph: NeuronGraph
  /** [parent][group][neuron] */
  readonly scores: readonly (readonly Float32Array[])[]
}

async function checkVariants(
  fixture: Fixture,
  strategy: Strategy,
  checkSteps: (variant: Variant) => Promise<Comparison[]>,
): Promise<Comparison[]> {
  const comparisons: Comparison[] = []
  for (const scorer of Object.keys(fixture.json['results'] as object)) {
    const prefix = `expected.${scorer}.`
    const graph = graphOf(fixture)
    const k = parentsOf(fixture, graph).length
    const own = await referenceScores(fixture, graph, { prefix: `${prefix}scores.`, k, scorer })
    comparisons.push(...own.comparisons)
    const variant = { prefix, graph, scores: own.scores }
    comparisons.push(
      ...(await checkSteps(variant)),
      ...(await checkFused(fixture, strategy, variant)),
    )
  }
  return comparisons
}

async function checkFused(
  fixture: Fixture,
  strategy: Strategy,
  { prefix, graph, scores }: Variant,
): Promise<Comparison[]> {
  const model = modelOf(fixture)
  const examples = examplesOf(fixture, model)
  model.dispose()
  const isTransport = strategy === otFusion
  const { weights } = await strategy.fuse({
    parents: parentsOf(fixture, graph, scores),
    graph,
    options: isTransport
      ? { scores: 'sent', head: 'mean', marginals: 'aligned' }
      : { scores: 'sent', head: 'scores' },
    proxy: { train: examples, heldOut: examples },
    rng: createRng('golden'),
  })
  const network = { weights, widths: {} }
  const tensor = `${prefix}fused_logits`
  const tolerance: Tolerance = { kind: 'largest', value: 1e-3 }
  return [
    ...compareWeights(fixture, `${prefix}fused.`, network, toleranceOf(fixture, 'fused_weights')),
    compareFloats(fixture, tensor, await logitsOf(fixture, weights), tolerance),
  ]
}

/** What the neurons of each parent do, [parent][group]. */
async function activationsOf(
  fixture: Fixture,
  graph: NeuronGraph,
  point: 'pre' | 'post',
): Promise<tf.Tensor2D[][]> {
  const model = modelOf(fixture)
  const x = inputTensor(examplesOf(fixture, model))
  model.dispose()
  const all: tf.Tensor2D[][] = []
  for (const [parent] of parentsOf(fixture, graph).entries()) {
    all.push(await groupActivations(graph, weightsUnder(fixture, `parents.${parent}.`), x, point))
  }
  x.dispose()
  return all
}
