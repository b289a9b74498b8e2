import { z } from 'zod'
import { GraftError } from '../errors.ts'
import { RoundNumber } from '../ids.ts'
import { DTYPE_BYTES, headerBytesOf, LENGTH_BYTES } from '../model/safetensors-format.ts'
import { encodeSafetensors, openSafetensors, safetensorsHeader } from '../model/safetensors.ts'
import {
  assertFinite,
  assertSameShapes,
  type NamedShape,
  sizeOf,
  type Weights,
} from '../model/weights.ts'
import { parseMessage } from './refusal.ts'

/** What an update says of itself, in the metadata of its file. */
export interface UpdateFacts {
  readonly round: RoundNumber
  /** Canonical spec, e.g. `mlp:784-512-10`. */
  readonly architecture: string
  /** n_k: training examples. */
  readonly numExamples: number
  /** Training examples of each class, [class]. */
  readonly classCounts: readonly number[]
  /** Who computed the scores, e.g. `conductance`. */
  readonly scorer: string
}

/** What a client sends after local training: one safetensors file, weights first, scores behind them. */
export interface Update extends UpdateFacts {
  readonly weights: Weights
  /** Attribution scores, not negative, [group][neuron]; empty when there are none. */
  readonly scores: readonly Float32Array[]
}

/** What an update of the run must look like. */
export interface ExpectedUpdate {
  /** Names and shapes of the weights, in order. */
  readonly weights: readonly NamedShape[]
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
  const shapes = scoreShapes(update.scores.map(({ length }) => length))
  const scores = update.scores.map((data, group) => ({ ...shapes[group]!, data }))
  const tensors = [...update.weights, ...scores]
  assertFinite(tensors)
  return encodeSafetensors(tensors, metadataOf(update))
}

/** Bytes of a file that {@link encodeUpdate} would write, and of its header. */
export function measureUpdate(
  facts: UpdateFacts,
  { weights, widths }: Pick<ExpectedUpdate, 'weights' | 'widths'>,
): { readonly headerBytes: number; readonly sizeBytes: number } {
  const tensors = [...weights, ...scoreShapes(widths)]
  const headerBytes = headerBytesOf(safetensorsHeader(tensors, metadataOf(facts)))
  const data = tensors.reduce((sum, { shape }) => sum + sizeOf(shape) * DTYPE_BYTES.F32, 0)
  return { headerBytes, sizeBytes: LENGTH_BYTES + headerBytes + data }
}

function metadataOf(facts: UpdateFacts): Record<string, string> {
  return {
    format: 'graft',
    architecture: facts.architecture,
    round: String(facts.round),
    num_examples: String(facts.numExamples),
    class_counts: JSON.stringify(facts.classCounts),
    scorer: facts.scorer,
  }
}

/**
 * Reads an update from a stranger: what this returns can be fused.
 *
 * @param bytes the caller gives them away: weights and scores may lie in them
 * @throws GraftError GRAFT_MODEL_FILE_INVALID, GRAFT_MESSAGE_INVALID (metadata, a negative score),
 *   GRAFT_SHAPE_MISMATCH (names, shapes, order, widths, classes), GRAFT_NOT_FINITE
 */
export function decodeUpdate(bytes: Uint8Array, expected: ExpectedUpdate): Update {
  const { tensors, metadata } = openSafetensors(bytes)
  const facts = checkUpdateHeader({ tensors, metadata }, expected)
  assertFinite(tensors)
  const scores = tensors.filter(isScore)
  for (const { name, data } of scores) assertNotNegative(name, data)
  return {
    ...facts,
    weights: tensors.filter((tensor) => !isScore(tensor)),
    scores: scores.map(({ data }) => data),
  }
}

/**
 * Everything that can be said of an update before its numbers are looked at.
 *
 * @param header.tensors without those that are no weights, in the order of their bytes
 * @throws GraftError GRAFT_MESSAGE_INVALID, GRAFT_SHAPE_MISMATCH as {@link decodeUpdate}
 */
export function checkUpdateHeader(
  { tensors, metadata }: { tensors: readonly NamedShape[]; metadata: unknown },
  expected: ExpectedUpdate,
): UpdateFacts {
  const facts = parseMessage('metadata of the update', Metadata, metadata)
  const scores = tensors.filter(isScore)
  assertSameShapes(
    tensors.filter((tensor) => !isScore(tensor)),
    expected.weights,
  )
  if (scores.length > 0) assertSameShapes(scores, scoreShapes(expected.widths))
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
  }
}

/** Whether a tensor of an update holds scores, and not weights. */
export const isScore = ({ name }: { readonly name: string }): boolean =>
  name.startsWith(SCORES_PREFIX)

function scoreShapes(widths: readonly number[]): NamedShape[] {
  return widths.map((width, group) => ({ name: `${SCORES_PREFIX}${group}`, shape: [width] }))
}

/**
 * @param first index in the group of the first of these scores
 * @throws GraftError GRAFT_MESSAGE_INVALID naming the first score below 0
 */
export function assertNotNegative(name: string, scores: Float32Array, first = 0): void {
  const at = scores.findIndex((value) => value < 0)
  if (at < 0) return
  throw new GraftError(
    'GRAFT_MESSAGE_INVALID',
    `${name}[${first + at}] is ${scores[at]!}, below 0.`,
  )
}
