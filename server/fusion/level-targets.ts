import * as tf from '@tensorflow/tfjs'
import { GraftError } from '../../shared/errors.ts'
import type { Level } from '../../shared/model/levels.ts'
import type { NeuronGraph } from '../../shared/model/neuron-graph.ts'
import { assign } from '../../shared/numeric/assignment.ts'
import { gram } from '../../shared/numeric/gram.ts'
import { kMeansOfGram } from '../../shared/numeric/k-means.ts'
import type { Rng } from '../../shared/numeric/rng.ts'
import { columnDistances } from './column-distances.ts'
import {
  type Columns,
  columnsOf,
  type Grouping,
  groupingOf,
  parentStarts,
  restartsFor,
} from './grouping.ts'
import type { OpenNetwork } from './open-networks.ts'

/** Rows that clustering looks at; of more, as maps have them, a draw. */
const MOST_ROWS = 4096

/** All parents' neurons of one level on the proxy set. */
export interface LevelActivations extends Columns {
  /** [row, column]: activations side by side, a row for each example and place. */
  readonly activations: tf.Tensor2D
}

/**
 * The one group of neurons that a level ends in.
 * @throws GraftError GRAFT_STRATEGY_UNSUITABLE when there are several, as behind a concatenation
 */
export function levelGroup({ layouts }: NeuronGraph, { name, pre }: Level): number {
  const layout = layouts[pre]!
  if (layout.kind === 'neurons' && layout.each === 1) return layout.group
  throw new GraftError(
    'GRAFT_STRATEGY_UNSUITABLE',
    `kf-gradient trains neurons of one layer at a time, and level ${name} ends in those of several.`,
  )
}

/** What the parents' neurons give at a node; the caller owns the activations. */
export async function sideBySide(
  { groups }: NeuronGraph,
  at: {
    readonly node: number
    readonly group: number
    /** [parent][group][neuron] */
    readonly scores: readonly (readonly Float64Array[])[]
  },
  networks: readonly OpenNetwork[],
): Promise<LevelActivations> {
  const outputs: tf.Tensor[] = []
  for (const { walk } of networks) outputs.push((await walk.look([at.node]))[0]!)
  const activations = tf.tidy(() =>
    tf.concat(
      outputs.map((output) => tf.reshape<tf.Rank.R2>(output, [-1, output.shape.at(-1)!])),
      1,
    ),
  )
  tf.dispose(outputs)
  const ofGroup = at.scores.map((ofParent) => ofParent[at.group]!)
  return { ...columnsOf(ofGroup), activations, width: groups[at.group]!.width }
}

/**
 * Groups neurons that do alike on the proxy set, as many groups as the fused network has neurons.
 *
 * @param order the parent whose neurons the groups are put in the order of, each to the most like one
 */
export async function clusterColumns(
  all: LevelActivations,
  { rng, order }: { readonly rng: Rng; readonly order: number | undefined },
): Promise<Grouping> {
  const sample = sampleRows(all.activations, rng.split('rows'))
  try {
    const { assignment } = kMeansOfGram(await gram(sample, 'columns'), {
      weights: all.scores,
      clusters: all.width,
      rng: rng.split('k-means'),
      starts: parentStarts(all),
      restarts: restartsFor(all.columns.length * all.width),
    })
    const grouping = groupingOf(assignment, all.scores, all.width)
    if (order === undefined) return grouping
    return await inOrderOf(order, grouping, { ...all, activations: sample })
  } finally {
    sample.dispose()
  }
}

/**
 * What the fused neurons should do: the mean of each group's activations by shares.
 *
 * @returns [row, neuron]; the caller owns it
 */
export function targetsOf(activations: tf.Tensor2D, grouping: Grouping): tf.Tensor2D {
  const columns = activations.shape[1]
  const mix = new Float32Array(columns * grouping.length)
  grouping.forEach((members, neuron) => {
    for (const { column, share } of members) mix[column * grouping.length + neuron] = share
  })
  return tf.tidy(() => tf.matMul(activations, tf.tensor2d(mix, [columns, grouping.length])))
}

async function inOrderOf(
  parent: number,
  grouping: Grouping,
  { activations, columns }: LevelActivations,
): Promise<Grouping> {
  const first = columns.findIndex((column) => column.parent === parent)
  const targets = targetsOf(activations, grouping)
  const own = tf.slice(activations, [0, first], [activations.shape[0], grouping.length])
  try {
    const cost = await columnDistances(targets, own)
    const place = assign(cost, { rows: grouping.length, columns: grouping.length })
    const ordered: Grouping[number][] = []
    grouping.forEach((members, cluster) => (ordered[place[cluster]!] = members))
    return ordered
  } finally {
    tf.dispose([targets, own])
  }
}

function sampleRows(x: tf.Tensor2D, rng: Rng): tf.Tensor2D {
  if (x.shape[0] <= MOST_ROWS) return x.clone()
  const drawn = Int32Array.from({ length: MOST_ROWS }, () => Math.floor(rng.next() * x.shape[0]))
  return tf.tidy(() => tf.gather(x, tf.tensor1d(drawn, 'int32')))
}
