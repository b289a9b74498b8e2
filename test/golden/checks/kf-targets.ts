import * as tf from '@tensorflow/tfjs'
import {
  columnsOf,
  type Grouping,
  groupingOf,
  headGrouping,
} from '../../../server/fusion/grouping.ts'
import { meanSquares } from '../../../server/fusion/kf-gradient.ts'
import { targetsOf } from '../../../server/fusion/level-targets.ts'
import { gram } from '../../../shared/numeric/gram.ts'
import { lloyd } from '../../../shared/numeric/lloyd.ts'
import { compare, compareFloats, type Comparison, type Tolerance, toleranceOf } from '../compare.ts'
import { channelsLast, type Fixture, floats, integers, tensorOf } from '../fixture.ts'

const EXACT: Tolerance = { kind: 'exact', value: 0 }

/** `e_kf_targets_*`: clusters as the reference finds them, their targets and the loss of a prediction. */
export async function checkKfTargets(fixture: Fixture): Promise<Comparison[]> {
  const comparisons: Comparison[] = []
  const k = fixture.json.k ?? 0
  const models = Array.from({ length: k }, (_, model) => columns(fixture, `acts.${model}`))
  const activations = tf.concat(models, 1) // [row, column]
  const results = fixture.json['results'] as Record<string, { weighted_loss_of_prediction: number }>
  for (const [variant, result] of Object.entries(results)) {
    const scores = models.map((model, i) =>
      variant === 'uniform'
        ? new Float64Array(model.shape[1]).fill(1)
        : Float64Array.from(floats(fixture, `scores.${i}`)),
    )
    const all = columnsOf(scores)
    const clustered = variant.endsWith('normalized')
      ? tf.tidy(() => tf.concat(models.map(rowsOfLengthOne), 1))
      : activations.clone()
    const width = models[1]!.shape[1]
    const first = models[0]!.shape[1]
    const assignment = lloyd({
      gram: await gram(clustered, 'columns'),
      weights: all.scores,
      initial: Int32Array.from({ length: width }, (_, j) => first + j),
    })
    clustered.dispose()
    const grouping = groupingOf(assignment, all.scores, width)
    const tensor = `expected.${variant}.assignment`
    comparisons.push(
      compare(tensor, assignment, integers(fixture, tensor), EXACT),
      ...(await checkTarget(fixture, `expected.${variant}.T`, {
        activations,
        grouping,
        loss: result.weighted_loss_of_prediction,
        scale: grouping.map((of) => of.reduce((sum, { column }) => sum + all.scores[column]!, 0)),
      })),
    )
  }
  tf.dispose([activations, ...models])
  return comparisons
}

/** `e_kf_head`: the head's targets, which the reference divides by the number of parents once more. */
export async function checkKfHead(fixture: Fixture): Promise<Comparison[]> {
  const [k = 0, width = 0] = tensorOf(fixture, 'percentages').shape
  const logits = Array.from({ length: k }, (_, model) => columns(fixture, `logits.${model}`))
  const scores = logits.map((_, model) => Float64Array.from(floats(fixture, `scores.${model}`)))
  const all = { ...columnsOf(scores), width }
  const percentages = floats(fixture, 'percentages')
  const shares = logits.map((_, model) =>
    Float64Array.from(percentages.subarray(model * width, (model + 1) * width), (p) => p / k),
  )
  const results = fixture.json['results'] as Record<string, number>
  const alike = logits.map(() => new Float64Array(width).fill(1 / k))
  const sums = Array.from({ length: width }, (_, c) =>
    scores.reduce((sum, ofModel) => sum + ofModel[c]!, 0),
  )
  const classes = Int32Array.from(all.columns, ({ neuron }) => neuron)
  const recorded = integers(fixture, 'expected.assignment')
  const side = tf.concat(logits, 1)
  const soft = tf.tidy(() =>
    tf.concat(
      logits.map((of) => tf.softmax<tf.Tensor2D>(of)),
      1,
    ),
  )
  try {
    return [
      compare('expected.assignment', classes, recorded, EXACT),
      ...(await checkTarget(fixture, 'expected.T', {
        activations: side,
        grouping: headGrouping(all, shares),
        loss: results['loss_with_percentages']!,
        scale: sums,
      })),
      ...(await checkTarget(fixture, 'expected.T_no_percentages', {
        activations: side,
        grouping: headGrouping(all, alike),
        loss: results['loss_without_percentages']!,
      })),
      ...(await checkTarget(fixture, 'expected.T_kd_temperature1', {
        activations: soft,
        grouping: headGrouping(all, alike),
        loss: results['loss_kd']!,
      })),
    ]
  } finally {
    tf.dispose([side, soft, ...logits])
  }
}

interface TargetCheck {
  readonly activations: tf.Tensor2D
  readonly grouping: Grouping
  /** What the reference says of the fixture's prediction. */
  readonly loss: number
  readonly scale?: readonly number[]
}

async function checkTarget(
  fixture: Fixture,
  tensor: string,
  { activations, grouping, loss, scale }: TargetCheck,
): Promise<Comparison[]> {
  const target = targetsOf(activations, grouping)
  const prediction = columns(fixture, 'prediction')
  const weights = scale && tf.tensor1d([...scale])
  const ours = tf.tidy(() => meanSquares(prediction, target, weights).loss)
  try {
    const { value, kind } = toleranceOf(fixture, 'T')
    return [
      // Single entries may be near zero, so relative to the largest.
      compareFloats(fixture, tensor, await target.data(), {
        kind: kind === 'rtol' ? 'largest' : kind,
        value,
      }),
      compare(`${tensor} (loss)`, await ours.data(), [loss], toleranceOf(fixture, 'loss')),
    ]
  } finally {
    tf.dispose([target, prediction, ours, ...(weights ? [weights] : [])])
  }
}

/** [row, channel]: rows are examples and places. */
function columns(fixture: Fixture, name: string): tf.Tensor2D {
  const channels = tensorOf(fixture, name).shape[1]!
  const values = channelsLast(fixture, name)
  return tf.tensor2d(values, [values.length / channels, channels])
}

const rowsOfLengthOne = (x: tf.Tensor2D): tf.Tensor2D => tf.div(x, tf.norm(x, 2, 1, true))
