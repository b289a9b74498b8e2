import { z } from 'zod'
import { GraftError } from '../errors.ts'
import { BlobId, RoundNumber } from '../ids.ts'
import { assertStoredSo } from '../model/encoded-model.ts'
import {
  decodeWeights,
  encodeWeights,
  type StoredShape,
  storedBytes,
  storedShapes,
} from '../model/encoded-weights.ts'
import { type Encoding, ENCODINGS, isDelta } from '../model/encodings.ts'
import { headerBytesOf, LENGTH_BYTES, parseSafetensors } from '../model/safetensors-format.ts'
import { safetensorsHeader, withoutCounters, writeSafetensors } from '../model/safetensors.ts'
import { type OpenSafetensors, readerOfEncoded, readFloats } from '../model/stored-weights.ts'
import type { WeightReader } from '../model/weight-reader.ts'
import {
  assertFinite,
  assertFiniteFloats,
  type NamedShape,
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
  /** SHA-256 of the file of the model that its weights are differences to; absent: they are weights. */
  readonly base?: BlobId
}

/** What a client sends after local training: one safetensors file, weights first, scores behind them. */
export interface Update extends UpdateFacts {
  /** Differences where there is a `base`. */
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
  /** @default float32 */
  readonly encoding?: Encoding
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
  encoding: z.enum(ENCODINGS).exclude(['float32']).optional(),
  base: BlobId.optional(),
})

/**
 * @param encoding with `-delta` the update has a `base`
 * @returns a safetensors file; the same update gives the same bytes
 * @throws GraftError GRAFT_NOT_FINITE before anything is sent that would be refused anyway
 */
export function encodeUpdate(update: Update, encoding: Encoding = 'float32'): Uint8Array {
  const shapes = scoreShapes(update.scores.map(({ length }) => length))
  const scores = update.scores.map((data, group) => ({ ...shapes[group]!, data }))
  assertFinite([...update.weights, ...scores])
  const tensors = behindWide(
    encodeWeights(update.weights, encoding),
    encodeWeights(scores, 'float32'),
  )
  return writeSafetensors(tensors, metadataOf(update, encoding))
}

/** Scores stand behind all tensors of four bytes, so that none makes another lie where its type may not. */
function behindWide<Tensor extends StoredShape>(
  weights: readonly Tensor[],
  scores: readonly Tensor[],
): Tensor[] {
  const isWide = ({ dtype }: Tensor) => dtype === 'F32'
  return [...weights.filter(isWide), ...scores, ...weights.filter((weight) => !isWide(weight))]
}

/** Bytes of a file that {@link encodeUpdate} would write, and of its header. */
export function measureUpdate(
  facts: UpdateFacts,
  {
    weights,
    widths,
    encoding = 'float32',
  }: Pick<ExpectedUpdate, 'weights' | 'widths' | 'encoding'>,
): { readonly headerBytes: number; readonly sizeBytes: number } {
  const tensors = behindWide(storedShapes(weights, encoding), scoreShapes(widths))
  const headerBytes = headerBytesOf(safetensorsHeader(tensors, metadataOf(facts, encoding)))
  return { headerBytes, sizeBytes: LENGTH_BYTES + headerBytes + storedBytes(tensors) }
}

function metadataOf(facts: UpdateFacts, encoding: Encoding): Record<string, string> {
  return {
    format: 'graft',
    architecture: facts.architecture,
    round: String(facts.round),
    num_examples: String(facts.numExamples),
    class_counts: JSON.stringify(facts.classCounts),
    scorer: facts.scorer,
    ...(encoding !== 'float32' && { encoding }),
    ...(facts.base !== undefined && { base: facts.base }),
  }
}

/**
 * Reads an update from a stranger: what this returns can be fused.
 *
 * @param bytes the caller gives them away: weights and scores may lie in them
 * @throws GraftError GRAFT_MODEL_FILE_INVALID, GRAFT_MESSAGE_INVALID (metadata, a negative score, a scale),
 *   GRAFT_SHAPE_MISMATCH (names, shapes, order, widths, classes), GRAFT_NOT_FINITE
 */
export function decodeUpdate(bytes: Uint8Array, expected: ExpectedUpdate): Update {
  const { entries, metadata } = parseSafetensors(bytes)
  const tensors = withoutCounters(entries)
  const facts = checkUpdateHeader({ tensors, metadata }, expected)
  const ofScores = tensors.filter(isScore)
  const weights = decodeWeights(tensors, expected.weights)
  const scores = decodeWeights(ofScores, ofScores)
  assertFinite([...weights, ...scores])
  for (const { name, data } of scores) assertNotNegative(name, data)
  return { ...facts, weights, scores: scores.map(({ data }) => data) }
}

/** An update of which only the header and its scales have been read. */
export interface OpenUpdate extends UpdateFacts {
  /** Differences where there is a `base`; what is not finite throws when it is read. */
  readonly weights: WeightReader
  /** As in {@link Update}. */
  readonly scores: () => Promise<Float32Array[]>
}

/**
 * The same of a file that stays where it is.
 * @throws GraftError what {@link decodeUpdate} throws, of its numbers while they are read
 */
export async function openUpdate(
  file: OpenSafetensors,
  expected: ExpectedUpdate,
): Promise<OpenUpdate> {
  const tensors = withoutCounters(file.tensors)
  const facts = checkUpdateHeader({ tensors, metadata: file.metadata }, expected)
  return {
    ...facts,
    weights: await readerOfEncoded(file, expected.weights),
    async scores() {
      const all: Float32Array[] = []
      for (const tensor of tensors.filter(isScore)) {
        const scores = await readFloats(file, tensor)
        assertFiniteFloats(tensor.name, scores)
        assertNotNegative(tensor.name, scores)
        all.push(scores)
      }
      return all
    },
  }
}

/**
 * Everything that can be said of an update before its numbers are looked at.
 *
 * @param header.tensors without those that are no weights, in the order of their bytes
 * @throws GraftError GRAFT_MESSAGE_INVALID, GRAFT_SHAPE_MISMATCH, GRAFT_MODEL_FILE_INVALID as {@link decodeUpdate}
 */
export function checkUpdateHeader(
  { tensors, metadata }: { tensors: readonly StoredShape[]; metadata: unknown },
  expected: ExpectedUpdate,
): UpdateFacts {
  const { encoding = 'float32' } = expected
  const facts = parseMessage('metadata of the update', Metadata, metadata)
  assertEncodedSo(facts, encoding)
  const scores = tensors.filter(isScore)
  assertStoredSo(
    tensors.filter((tensor) => !isScore(tensor)),
    storedShapes(expected.weights, encoding),
  )
  if (scores.length > 0) assertStoredSo(scores, scoreShapes(expected.widths))
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
    ...(facts.base !== undefined && { base: facts.base }),
  }
}

function assertEncodedSo(
  { encoding: said, base }: z.infer<typeof Metadata>,
  wanted: Encoding,
): void {
  const encoding = said ?? 'float32'
  if (encoding !== wanted) {
    throw new GraftError(
      'GRAFT_MESSAGE_INVALID',
      `The update is ${encoding}; this run has ${wanted}.`,
    )
  }
  if ((base !== undefined) === isDelta(wanted)) return
  const problem =
    base === undefined
      ? 'The update does not say what its weights are differences to.'
      : `The update says that its weights are differences to ${base}; this run has weights.`
  throw new GraftError('GRAFT_MESSAGE_INVALID', problem)
}

/** Whether a tensor of an update holds scores, and not weights. */
export const isScore = ({ name }: { readonly name: string }): boolean =>
  name.startsWith(SCORES_PREFIX)

function scoreShapes(widths: readonly number[]): StoredShape[] {
  return widths.map((width, group) => ({
    name: `${SCORES_PREFIX}${group}`,
    shape: [width],
    dtype: 'F32',
  }))
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
