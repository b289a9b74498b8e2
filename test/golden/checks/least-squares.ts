import { groupingOf } from '../../../server/fusion/grouping.ts'
import { pairCosts } from '../../../server/fusion/hf-linear.ts'
import { clusterLevel } from '../../../server/fusion/kf-linear.ts'
import { fuseLinearly, type LevelFit } from '../../../server/fusion/linear-fusion.ts'
import { assign } from '../../../shared/numeric/assignment.ts'
import { createRng } from '../../../shared/numeric/rng.ts'
import { compare, compareFloats, compareWeights, type Comparison, toleranceOf } from '../compare.ts'
import { examplesOf, type Fixture, graphOf, integers, logitsOf, modelOf } from '../fixture.ts'
import { parentsOf } from '../parents-of.ts'
import { referenceScores } from './reference-scores.ts'

interface VariantResult {
  readonly norm_neuron_importance: boolean
  readonly layers: Readonly<Record<string, { readonly objective_nearest?: number }>>
}

/** Our clustering may be no worse than the recorded one, but for rounding. */
const NO_WORSE = 1e-5

/** `c_*`: HF and KF linear, with the reference's own grouping, and our grouping against it. */
export async function checkLeastSquares(fixture: Fixture): Promise<Comparison[]> {
  const results = fixture.json['results'] as Readonly<Record<string, VariantResult>>
  const comparisons: Comparison[] = []
  for (const variant of Object.keys(results)) {
    comparisons.push(...(await checkVariant(fixture, variant, results[variant]!)))
  }
  return comparisons
}

async function checkVariant(
  fixture: Fixture,
  variant: string,
  result: VariantResult,
): Promise<Comparison[]> {
  const [method = '', scorer = ''] = variant.split('.')
  const prefix = `expected.${variant}.`
  const graph = graphOf(fixture)
  const k = parentsOf(fixture, graph).length
  const own = { prefix: `${prefix}scores.`, k, scorer }
  const { scores, comparisons } = await referenceScores(fixture, graph, own)
  const model = modelOf(fixture)
  const examples = examplesOf(fixture, model)
  model.dispose()
  const rules = {
    strategy: variant,
    scores: 'sent',
    head: 'scores',
    prior: 'none',
    ridge: '1e-2',
    // Recorded scores are normalised already where the reference did so.
    normalise: false,
  } as const
  const input = {
    parents: parentsOf(fixture, graph, scores),
    graph,
    options: {},
    proxy: { train: examples, heldOut: examples },
    rng: createRng('golden'),
  }
  const { weights } = await fuseLinearly(input, rules, async (level) => {
    const tensor = `${prefix}assignment.${level.name}`
    const recorded = integers(fixture, tensor)
    if (method === 'hf') {
      comparisons.push(...(await checkPairs(fixture, prefix, level)))
      const first = recorded.length
      return groupingOf(pairsOf(recorded), level.scores, first)
    }
    comparisons.push(await checkClusters(tensor, recorded, level, result))
    return groupingOf(recorded, level.scores, level.width)
  })
  const network = { weights, widths: {} }
  comparisons.push(
    ...compareWeights(fixture, `${prefix}fused.`, network, toleranceOf(fixture, 'fused_weights')),
  )
  for (const [tensor, inputs] of [
    ['fused_logits', 'X'],
    ['fused_logits_eval', 'X_eval'],
  ] as const) {
    if (!fixture.tensors.has(prefix + tensor)) continue
    const logits = await logitsOf(fixture, weights, {}, inputs)
    const tolerance = toleranceOf(fixture, 'fused_logits')
    comparisons.push(compareFloats(fixture, prefix + tensor, logits, tolerance))
  }
  return comparisons
}

/** Cost of each pair, and the pairs; of the head, the classes are paired whatever they cost. */
async function checkPairs(
  fixture: Fixture,
  prefix: string,
  level: LevelFit,
): Promise<Comparison[]> {
  const first = level.columns.filter(({ parent }) => parent === 0).length
  const cost = await pairCosts(level, first)
  const pairs =
    level.given === undefined
      ? assign(cost, { rows: first, columns: level.columns.length - first })
      : Int32Array.from({ length: first }, (_, i) => i)
  const assignment = `${prefix}assignment.${level.name}`
  return [
    compareFloats(fixture, `${prefix}cost.${level.name}`, cost, toleranceOf(fixture, 'cost')),
    compare(assignment, pairs, integers(fixture, assignment), { kind: 'exact', value: 0 }),
  ]
}

/** How much worse than the recorded one our clustering is, as a share; the head is not clustered. */
async function checkClusters(
  tensor: string,
  recorded: Int32Array,
  level: LevelFit,
  { layers }: VariantResult,
): Promise<Comparison> {
  const { given, width } = level
  if (given !== undefined) {
    const classes = Int32Array.from(recorded, (_, i) => i % width)
    return compare(tensor, classes, recorded, { kind: 'exact', value: 0 })
  }
  const grouping = await clusterLevel(level, createRng('golden'))
  const objective = await objectiveOf(level, grouping)
  const wanted = layers[level.name]?.objective_nearest ?? NaN
  const error = Math.max(0, objective / wanted - 1)
  return { tensor, error: Number.isNaN(error) ? Infinity : error, tolerance: NO_WORSE }
}

/** sum_i s_i * distance of neuron i to the nearest fused neuron, by slow loops. */
async function objectiveOf(
  { fit, scores, columns }: LevelFit,
  grouping: Awaited<ReturnType<typeof clusterLevel>>,
): Promise<number> {
  const products = await fit.gram()
  const n = columns.length
  const product = (i: number, j: number) => products[i * n + j]!
  const centres = grouping.map((members) => ({
    members,
    square: members.reduce(
      (sum, a) =>
        sum + members.reduce((of, b) => of + a.share * b.share * product(a.column, b.column), 0),
      0,
    ),
  }))
  return scores.reduce((sum, score, i) => {
    const squares = centres.map(({ members, square }) => {
      const cross = members.reduce((of, { column, share }) => of + share * product(i, column), 0)
      return product(i, i) - 2 * cross + square
    })
    return sum + score * Math.sqrt(fit.residuals[i]! + Math.max(0, Math.min(...squares)))
  }, 0)
}

/** The cluster of each column when neuron i of the first parent is paired with `pairs[i]` of the second. */
function pairsOf(pairs: Int32Array): Int32Array {
  const clusters = new Int32Array(2 * pairs.length)
  pairs.forEach((j, i) => {
    clusters[i] = i
    clusters[pairs.length + j] = i
  })
  return clusters
}
