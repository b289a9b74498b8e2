import * as tf from '@tensorflow/tfjs'
import type { ExampleSet } from '../../shared/data/example-set.ts'
import type { Rng } from '../../shared/numeric/rng.ts'
import type { Evaluation } from '../../shared/training/evaluate.ts'
import type { LossFunction } from '../../shared/training/fit.ts'
import type { Parent } from '../fusion/strategy.ts'
import { ensembleLogits } from './ensemble.ts'
import { createRenditions, type Rendition } from './rendition.ts'
import { centreRows, pickRows } from '../../shared/numeric/rows.ts'

/** What distillation learns from: the ensemble of the parents. */
export interface Teacher {
  /** How good it is on the held-out examples. */
  readonly heldOut: Evaluation
  /** Made at the first call and kept. */
  lessons(): Promise<readonly Lesson[]>
}

/** A rendition of the proxy set and what its inputs should be taken for. */
export interface Lesson {
  readonly examples: ExampleSet
  /** The teacher's logits, each row of mean 0, [example, class], row-major. */
  readonly logits: Float32Array
  /** The same, put right where the labels say that the teacher is wrong. */
  readonly corrected: Float32Array
}

export interface TeacherInput {
  /** Of the parents' architecture, but for hidden widths; borrowed, and left as it is. */
  readonly model: tf.LayersModel
  readonly parents: readonly Parent[]
  /** The examples that are learnt from. */
  readonly train: ExampleSet
  /** What the ensemble reaches on the held-out ones. */
  readonly heldOut: Evaluation
  /** Epochs that a pupil learns: there are no more lessons than that, and fewer where there are many parents. */
  readonly epochs: number
  readonly rng: Rng
}

/** Renditions after which they come again: every parent has to answer each of them. */
const MOST_LESSONS = 600
/** Answers of a parent to a rendition that an epoch is worth: learning from them costs as much as three. */
const ANSWERS_PER_EPOCH = 25
/** However many parents there are: with 8, rounds of 200 clients were never better than with 30. */
const FEWEST_LESSONS = 16

/**
 * The class-share-weighted ensemble of the parents, as a teacher of logits on renditions of the proxy set.
 * Distillation from an ensemble of clients on public data: FedDF, Lin et al. 2020 (arXiv 2006.07242),
 * Algorithm 1; by logits, not probabilities: Ba & Caruana 2013 (arXiv 1312.6184), equation 1.
 *
 * @throws GraftError GRAFT_SHAPE_MISMATCH, by `lessons`, when a parent is of another architecture
 */
export function createTeacher(input: TeacherInput): Teacher {
  let lessons: Promise<readonly Lesson[]> | undefined
  return {
    heldOut: input.heldOut,
    lessons: () => (lessons ??= makeLessons(input)),
  }
}

async function makeLessons(input: TeacherInput): Promise<readonly Lesson[]> {
  const { model, parents, train, epochs, rng } = input
  const affordable = Math.ceil((epochs * ANSWERS_PER_EPOCH) / parents.length)
  const count = Math.min(epochs, MOST_LESSONS, Math.max(FEWEST_LESSONS, affordable))
  const draw = createRenditions(train)
  const renditions = Array.from({ length: count }, (_, i) => draw(rng.split(`rendition/${i}`)))
  const [plain, ...answers] = await ensembleLogits(model, parents, [train, ...renditions])
  const corrections = correctionsOf(plain!, train)
  return renditions.map((examples, i) => {
    const logits = answers[i]!
    return { examples, logits, corrected: correct(logits, corrections, examples) }
  })
}

/**
 * What to add to the logit of each example's class, [size]: nothing where the teacher is right; else as
 * much as puts it one above the largest.
 */
function correctionsOf(logits: Float32Array, { labels, numClasses }: ExampleSet): Float32Array {
  return Float32Array.from(labels, (label, i) => {
    const row = logits.subarray(i * numClasses, (i + 1) * numClasses)
    const largest = row.reduce((a, b) => Math.max(a, b), -Infinity)
    return row.indexOf(largest) === label ? 0 : largest + 1 - row[label]!
  })
}

/** Each example and its partner bring their corrections with the weight that they have in the mixture. */
function correct(
  logits: Float32Array,
  corrections: Float32Array,
  { labels, numClasses, partners, mixes }: Rendition,
): Float32Array {
  const corrected = logits.slice()
  for (const [i, label] of labels.entries()) {
    const partner = partners[i]!
    corrected[i * numClasses + label]! += (1 - mixes[i]!) * corrections[i]!
    corrected[i * numClasses + labels[partner]!]! += mixes[i]! * corrections[partner]!
  }
  return centreRows(corrected, numClasses)
}

/**
 * Mean squared distance of logits from what they should be, both with rows of mean 0:
 * `1/(n C) sum_ic (z_ic - mean_c z_i - t_ic)^2`. Its gradient by z is that by the centred logits, centred again.
 *
 * @param targets t, rows of mean 0, [example, class], row-major; borrowed for as long as the loss is used
 */
export function logitDistance(targets: Float32Array): LossFunction {
  return (logits, batch) => {
    const [n, numClasses] = logits.shape
    const rows = pickRows(targets, numClasses, batch)
    const distance = logits.sub(logits.mean(1, true)).sub(tf.tensor2d(rows, [n, numClasses]))
    const byCentred = distance.mul(2).mul(1 / (n * numClasses))
    return {
      loss: distance.square().mean(),
      dLogits: byCentred.sub(byCentred.sum(1, true).div(numClasses)),
    }
  }
}
