import { z } from 'zod'
import { GraftError } from '../errors.ts'
import { RoundNumber } from '../ids.ts'
import { decodeSafetensors, encodeSafetensors } from '../model/safetensors.ts'
import { assertFinite, assertSameShapes, type NamedTensor, type Weights } from '../model/weights.ts'
import { parseMessage } from './refusal.ts'

/** What a client sends after local training: one safetensors file, weights first, scores behind them. */
export interface Update {
  readonly round: RoundNumber
  /** Canonical spec, e.g. `mlp:784-512-10`. */
  readonly architecture: string
  /** n_k: training examples. */
  readonly numExamples: number
  /** Training examples of each class, [class]. */
  readonly classCounts: readonly number[]
  /** Who computed the scores, e.g. `conductance`. */
  readonly scorer: string
  readonly weights: Weights
  /** Attribution scores, not negative, [group][neuron]; empty when there are none. */
  readonly scores: readonly Float32Array[]
}

/** What an update of the run must look like. */
export interface ExpectedUpdate {
  /** Names and shapes of the weights, in order. */
  readonly weights: readonly Pick<NamedTensor, 'name' | 'shape'>[]
  /** Neurons of each group, the head's included, [group]: `widthsOf` of the run's neuron graph. */
  readonly widths: readonly number[]
  readonly numClasses: number
}

const SCORES_PREFIX = 'attribution.'

const json = <Schema extends z.ZodType>(schema: Schema) =>
  z
    .string()
    .transform((text, context): unknown => {
      try {
        return JSON.parse(text)
      } catch {
        context.addIssue('must be JSON')
        return z.NEVER
      }
    })
    .pipe(schema)

/** `__metadata__` of an update; safetensors allows strings only. */
const Metadata = z.strictObject({
  format: z.literal('graft'),
  architecture: z.string().min(1),
  round: json(RoundNumber),
  num_examples: json(z.int().positive()),
  class_counts: json(z.array(z.int().nonnegative())),
  scorer: z.string().min(1),
})

/**
 * @returns a safetensors file; the same update gives the same bytes
 * @throws GraftError GRAFT_NOT_FINITE before anything is sent that would be refused anyway
 */
export function encodeUpdate(update: Update): Uint8Array {
  const scores = update.scores.map((data, group) => ({
    name: `${SCORES_PREFIX}${group}`,
    shape: [data.length],
    data,
  }))
  const tensors = [...update.weights, ...scores]
  assertFinite(tensors)
  return encodeSafetensors(tensors, {
    format: 'graft',
    architecture: update.architecture,
    round: String(update.round),
    num_examples: String(update.numExamples),
    class_counts: JSON.stringify(update.classCounts),
    scorer: update.scorer,
  })
}

/**
 * Reads an update from a stranger: what this returns can be fused.
 *
 * @returns fresh arrays
 * @throws GraftError GRAFT_MODEL_FILE_INVALID, GRAFT_MESSAGE_INVALID (metadata, a negative score),
 *   GRAFT_SHAPE_MISMATCH (names, shapes, order, widths, classes), GRAFT_NOT_FINITE
 */
export function decodeUpdate(bytes: Uint8Array, expected: ExpectedUpdate): Update {
  const { tensors, metadata } = decodeSafetensors(bytes)
  const facts = parseMessage('metadata of the update', Metadata, metadata)
  const weights = tensors.filter(({ name }) => !name.startsWith(SCORES_PREFIX))
  const scores = tensors.filter(({ name }) => name.startsWith(SCORES_PREFIX))

  assertSameShapes(weights, expected.weights)
  if (scores.length > 0) assertSameShapes(scores, expected.widths.map(scoresOfGroup))
  assertFinite(tensors)
  scores.forEach(assertNotNegative)
  if (facts.class_counts.length !== expected.numClasses) {
    const problem = `The update counts ${facts.class_counts.length} classes, not ${expected.numClasses}.`
    throw new GraftError('GRAFT_SHAPE_MISMATCH', problem)
  }
  return {
    round: facts.round,
    architecture: facts.architecture,
    numExamples: facts.num_examples,
    classCounts: facts.class_counts,
    scorer: facts.scorer,
    weights,
    scores: scores.map(({ data }) => data),
  }
}

function scoresOfGroup(width: number, group: number) {
  return { name: `${SCORES_PREFIX}${group}`, shape: [width] }
}

function assertNotNegative({ name, data }: NamedTensor): void {
  const at = data.findIndex((value) => value < 0)
  if (at < 0) return
  throw new GraftError('GRAFT_MESSAGE_INVALID', `${name}[${at}] is ${data[at] ?? ''}, below 0.`)
}
