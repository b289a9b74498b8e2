import * as tf from '@tensorflow/tfjs'
import { attribute } from '../../../shared/attribution/attribute.ts'
import { attributionPoints } from '../../../shared/attribution/attribution-points.ts'
import { pathConductance } from '../../../shared/attribution/conductance.ts'
import { deepLiftContributions } from '../../../shared/attribution/deep-lift.ts'
import type { ScoredBatch } from '../../../shared/attribution/score-neurons.ts'
import type { AttributionPoint, ScoredNetwork } from '../../../shared/attribution/scorer.ts'
import { modelWeights } from '../../../shared/model/model-variables.ts'
import { neuronGraph } from '../../../shared/model/neuron-graph.ts'
import { writeWeights } from '../../../shared/model/weights.ts'
import { predict } from '../../../shared/training/predict.ts'
import { compareFloats, type Comparison, type Tolerance } from '../compare.ts'
import { examplesOf, type Fixture, integers, modelOf, tensorOf, weightsUnder } from '../fixture.ts'

/** Scorers as the reference ran them, by what a fixture calls them. */
const SCORERS = {
  conductance: { scorer: 'conductance', own: {} },
  deeplift: { scorer: 'deeplift', own: { pooling: 'captum' } },
  deeplift_separated: { scorer: 'deeplift', own: { pooling: 'separated' } },
  featureablation: { scorer: 'ablation', own: { ablate: 'positions' } },
} as const

const CONTRIBUTIONS: Readonly<
  Record<string, (network: ScoredNetwork, batch: ScoredBatch) => tf.Tensor[]>
> = {
  conductance: pathConductance,
  deeplift: (network, batch) => deepLiftContributions(network, batch, { pooling: 'captum' }),
}

/** `a_*`: logits, scores of each scorer at each layer, and signed contributions of single examples. */
export async function checkAttribution(fixture: Fixture): Promise<Comparison[]> {
  const model = modelOf(fixture)
  try {
    writeWeights(model, weightsUnder(fixture, 'model.'))
    return [
      compareFloats(fixture, 'logits', await predict(model, examplesOf(fixture, model)), {
        kind: 'atol',
        value: 1e-4,
      }),
      ...(await checkScores(fixture, model)),
      ...(await checkContributions(fixture, model)),
    ]
  } finally {
    model.dispose()
  }
}

async function checkScores(fixture: Fixture, model: tf.LayersModel): Promise<Comparison[]> {
  const { groups } = neuronGraph(model)
  const examples = examplesOf(fixture, model)
  const comparisons: Comparison[] = []
  for (const [kind, { scorer, own }] of Object.entries(SCORERS)) {
    for (const point of ['pre', 'post'] as const satisfies AttributionPoint[]) {
      const wanted = groups.filter(({ name }) =>
        fixture.tensors.has(`expected.${kind}.${name}.${point}`),
      )
      if (wanted.length === 0) continue
      const options = { ...own, point, batchSize: 50 }
      const scores = await attribute(scorer, model, examples, options)
      for (const { index, name } of wanted) {
        const tensor = `expected.${kind}.${name}.${point}`
        comparisons.push(compareFloats(fixture, tensor, scores[index]!, ofLargest(fixture)))
      }
    }
  }
  return comparisons
}

/** `raw.<scorer>.<layer>.<point>.first<n>`: what each of the first n examples contributes, signed. */
async function checkContributions(fixture: Fixture, model: tf.LayersModel): Promise<Comparison[]> {
  const graph = neuronGraph(model)
  const network = { graph, weights: modelWeights(model) }
  const examples = examplesOf(fixture, model)
  const comparisons: Comparison[] = []
  for (const name of fixture.tensors.keys()) {
    const [, kind, layer, point] = /^raw\.(\w+)\.(\w+)\.(pre|post)\.first\d+$/.exec(name) ?? []
    const contribute = CONTRIBUTIONS[kind ?? '']
    const group = graph.groups.find((of) => of.name === layer)
    if (contribute === undefined || group === undefined) continue
    const count = tensorOf(fixture, name).shape[0]!
    const first = Array.from({ length: count }, (_, i) => i)
    const values = tf.tidy(() => {
      const x = tf.tensor(examples.inputs(first), [count, ...examples.inputShape])
      const classes = tf.tensor1d(integers(fixture, 'y').slice(0, count), 'int32')
      const labels = tf.oneHot(classes, examples.numClasses).toFloat() as tf.Tensor2D
      const nodes = attributionPoints(graph, point as AttributionPoint)[group.index]!.slice(0, 1)
      return contribute(network, { x, labels, nodes })[0]!
    })
    const actual = await values.data()
    values.dispose()
    comparisons.push(compareFloats(fixture, name, actual, ofLargest(fixture)))
  }
  return comparisons
}

function ofLargest({ json: { tolerance } }: Fixture): Tolerance {
  return { kind: 'largest', value: Number(tolerance['rtol']), atol: Number(tolerance['atol']) }
}
