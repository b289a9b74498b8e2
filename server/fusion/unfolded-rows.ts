import * as tf from '@tensorflow/tfjs'
import type { Op } from '../../shared/model/ops/op.ts'
import {
  createLeastSquares,
  leastSquares,
  type Solution,
} from '../../shared/numeric/least-squares.ts'

/** A level's product `pre = unfold(x) W + b`, and what the fused network reads there. */
export interface LinearSystem {
  readonly op: Op
  readonly kernelShape: readonly number[]
  /** Whether a number of its own is added to each neuron: the last row of W. */
  readonly hasOffset: boolean
  /** What the product reads in the fused network so far, [example, ...]; borrowed. */
  readonly input: tf.Tensor
}

/** Up to here a system is solved whole; beyond, by its Gram matrix, block by block. */
const MOST_ROWS = 2048
/** Numbers of a block of rows: 64 MB of them. */
const BLOCK_VALUES = 16e6

/** Rows of W: what a neuron reads, and its offset. */
export function fanInOf({ kernelShape, hasOffset }: LinearSystem): number {
  const fanIn = kernelShape.slice(0, -1).reduce((product, dim) => product * dim, 1)
  return fanIn + (hasOffset ? 1 : 0)
}

/** Calls `visit` with block after block of [X, 1], [row, fanIn (+ 1)], which it borrows, and where it begins. */
async function eachBlock(
  system: LinearSystem,
  rows: number,
  visit: (x: tf.Tensor2D, firstRow: number) => Promise<void>,
): Promise<void> {
  const { input } = system
  const examples = input.shape[0]
  const perExample = rows / examples
  const step = Math.max(1, Math.floor(BLOCK_VALUES / (perExample * fanInOf(system))))
  const rest = input.shape.slice(1)
  for (let start = 0; start < examples; start += step) {
    const count = Math.min(step, examples - start)
    const x = tf.tidy(() =>
      unfold(system, tf.slice(input, [start, ...rest.map(() => 0)], [count, ...rest])),
    )
    try {
      await visit(x, start * perExample)
    } finally {
      x.dispose()
    }
  }
}

function unfold({ op, kernelShape, hasOffset }: LinearSystem, x: tf.Tensor): tf.Tensor2D {
  const seen = op.unfold!(x, kernelShape)
  return hasOffset ? tf.concat([seen, tf.ones([seen.shape[0], 1])], 1) : seen
}

/**
 * The least squares weights W with [X, 1] W near the targets. With a ridge, they are held near zero too:
 * argmin |[X, 1] W - T|^2 + ridge * mean(diag(X'X)) |W|^2.
 *
 * @param targets T, [row, column]; borrowed
 * @param ridge 0 for the solution of least norm, with the reference's cut-off
 */
export async function solveRows(
  system: LinearSystem,
  targets: tf.Tensor2D,
  ridge: number,
): Promise<Solution> {
  const [rows, columns] = targets.shape
  if (rows <= MOST_ROWS && ridge === 0) {
    const x = tf.tidy(() => unfold(system, system.input))
    try {
      const [values, wanted] = [await x.data<'float32'>(), await targets.data<'float32'>()]
      return await leastSquares(values, wanted, rows)
    } finally {
      x.dispose()
    }
  }
  const fanIn = fanInOf(system)
  const least = createLeastSquares(fanIn, columns)
  let squares = 0
  try {
    await eachBlock(system, rows, async (x, firstRow) => {
      const block = tf.slice(targets, [firstRow, 0], [x.shape[0], columns])
      const sum = tf.tidy(() => tf.sum(tf.square(x)))
      try {
        await least.add(x, block)
        squares += (await sum.data())[0]!
      } finally {
        tf.dispose([block, sum])
      }
    })
    if (ridge > 0) {
      // As rows of their own: sqrt(lambda) times each weight should be 0.
      const weight = Math.sqrt((ridge * squares) / fanIn)
      const [held, zeros] = tf.tidy(() => [
        tf.mul<tf.Tensor2D>(tf.eye(fanIn), weight),
        tf.zeros<tf.Rank.R2>([fanIn, columns]),
      ])
      try {
        await least.add(held, zeros)
      } finally {
        tf.dispose([held, zeros])
      }
    }
    return await least.solve()
  } finally {
    least.dispose()
  }
}

/**
 * Targets less what weights make of the rows already, T - [X, 1] W.
 *
 * @param weights W, [fanIn (+ 1), column]
 * @returns [row, column], which the caller owns
 */
export async function missingOf(
  system: LinearSystem,
  targets: tf.Tensor2D,
  weights: Float32Array,
): Promise<tf.Tensor2D> {
  const [rows, columns] = targets.shape
  const w = tf.tensor2d(weights, [fanInOf(system), columns])
  const parts: tf.Tensor2D[] = []
  try {
    await eachBlock(system, rows, async (x, firstRow) => {
      parts.push(
        tf.tidy(() =>
          tf.sub(tf.slice(targets, [firstRow, 0], [x.shape[0], columns]), tf.matMul(x, w)),
        ),
      )
    })
    return tf.concat(parts)
  } finally {
    tf.dispose([w, ...parts])
  }
}
