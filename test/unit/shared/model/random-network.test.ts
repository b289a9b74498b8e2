import * as tf from '@tensorflow/tfjs'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { modelWeights } from '../../../../shared/model/model-variables.ts'
import {
  type NeuronGraph,
  neuronGraph,
  shapesWith,
  widthsOf,
} from '../../../../shared/model/neuron-graph.ts'
import { run } from '../../../../shared/model/op-graph.ts'
import { createRng } from '../../../../shared/numeric/rng.ts'
import { startTestEngine } from '../../../support/engine.ts'
import { logitsOf } from '../../../support/logits-of.ts'
import { permuteGroup } from '../../../support/permute-group.ts'
import {
  networkPlans,
  NUM_CLASSES,
  type NetworkPlan,
  randomInputs,
  randomModel,
  randomWeights,
} from '../../../support/random-network.ts'

const BATCH = 3
const NUM_RUNS = 60

beforeAll(startTestEngine)

describe('any network', () => {
  it('should give the logits that its model predicts, and leave no tensor behind', () => {
    check((model, graph, x) => {
      const before = tf.memory().numTensors
      const [logits] = run(graph.ops, x, modelWeights(model))
      expect(tf.memory().numTensors).toBe(before + 1)
      expectClose(logits!, model.apply(x) as tf.Tensor)
    })
  })

  it('should keep its logits when the neurons of a group are permuted wherever they lie', () => {
    check((_, graph, x, plan) => {
      const weights = randomWeights(graph.weights, createRng(plan.seed))
      const logits = logitsOf(graph.ops, weights, x)
      for (const group of graph.groups.filter(({ isFixed }) => !isFixed)) {
        const neurons = Array.from({ length: group.width }, (_, i) => i)
        const permutation = createRng(plan.seed).split(group.name).shuffle(neurons)
        expectClose(
          logitsOf(graph.ops, permuteGroup(weights, graph, group, permutation), x),
          logits,
        )
      }
    })
  })

  it('should know the shapes of its weights, and run with groups of other widths', () => {
    check((_, graph, x, plan) => {
      expect(shapesWith(graph, widthsOf(graph))).toEqual(graph.weights)
      const widths = graph.groups.map(({ width, isFixed }) => (isFixed ? width : width + 1))
      const weights = randomWeights(shapesWith(graph, widths), createRng(plan.seed))
      const logits = logitsOf(graph.ops, weights, x)
      expect(logits.shape).toEqual([BATCH, NUM_CLASSES])
      expect([...logits.dataSync()].every(Number.isFinite)).toBe(true)
    })
  })
})

// Helpers

type Body = (model: tf.LayersModel, graph: NeuronGraph, x: tf.Tensor, plan: NetworkPlan) => void

function check(body: Body): void {
  fc.assert(
    fc.property(networkPlans(), (plan) => {
      const model = randomModel(plan)
      tf.tidy(() => body(model, neuronGraph(model), randomInputs(plan, BATCH), plan))
      model.dispose()
    }),
    { numRuns: NUM_RUNS },
  )
}

function expectClose(actual: tf.Tensor, expected: tf.Tensor): void {
  expect(actual.shape).toEqual(expected.shape)
  const size = Math.max(1, ...expected.abs().dataSync())
  const worst = Math.max(...tf.sub(actual, expected).abs().dataSync())
  expect(worst / size).toBeLessThan(1e-4)
}
