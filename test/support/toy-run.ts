import { createHash } from 'node:crypto'
import type { Workbench } from '../../server/coordinator/workbench.ts'
import type { ReceivedUpdate } from '../../server/gateway/gateway.ts'
import type { Dataset } from '../../shared/data/example-set.ts'
import { BlobId, RoundNumber } from '../../shared/ids.ts'
import { initialWeights } from '../../shared/model/initial-weights.ts'
import { parseArchitecture } from '../../shared/model/architectures.ts'
import { encodeSafetensors } from '../../shared/model/safetensors.ts'
import type { Weights } from '../../shared/model/weights.ts'
import { createRng } from '../../shared/numeric/rng.ts'
import type { RunSettings } from '../../shared/protocol/run-settings.ts'
import { encodeUpdate } from '../../shared/protocol/update.ts'
import { blobs } from './blob-task.ts'
import { UNINSPECTED } from './test-gateway.ts'

/** Examples of `blob-task.ts` as a data set: 4 classes, 6 inputs. */
export const TOY_DATASET: Dataset = {
  name: 'toy',
  train: blobs('toy train', 240),
  test: blobs('toy test', 80),
}

export const TOY_SETTINGS: RunSettings = {
  seed: 7,
  dataset: 'toy',
  model: 'mlp:6-12-4',
  initialModel: null,
  partition: 'labels:2',
  examplesPerClient: null,
  clients: 2,
  rounds: 1,
  strategy: 'nt',
  proxy: 80,
  rehearse: false,
  scorer: 'uniform',
  training: { epochs: 1, batchSize: 32, optimizer: 'adam', learningRate: 0.01 },
  tune: { mode: 'labels', epochs: 2, learningRate: 0.01, batchSize: 32 },
  quorum: 2,
  deadlineSeconds: 600,
}

export const TOY_NETWORK = parseArchitecture(TOY_SETTINGS.model, TOY_DATASET.train)
/** Neurons of each group of {@link TOY_NETWORK}. */
export const TOY_WIDTHS = [12, 4]

/** Weights that another seed makes others. */
export const toyWeights = (seed: string): Weights => initialWeights(TOY_NETWORK, createRng(seed))

export interface ToyUpdate {
  readonly round: number
  readonly numExamples: number
  readonly classCounts: readonly number[]
  readonly weights: Weights
  readonly architecture: string
  readonly scores: readonly Float32Array[]
  readonly scorer: string
}

/** An update that a coordinator of {@link TOY_SETTINGS} accepts; override what a test is about. */
export function toyUpdate(seed: string, changes: Partial<ToyUpdate> = {}) {
  const update: ToyUpdate = {
    round: 1,
    numExamples: 10,
    classCounts: [4, 3, 2, 1],
    weights: toyWeights(seed),
    architecture: TOY_NETWORK.name,
    scores: TOY_WIDTHS.map((width) => new Float32Array(width).fill(1)),
    scorer: TOY_SETTINGS.scorer,
    ...changes,
  }
  const { numExamples, classCounts } = update
  const round = RoundNumber.parse(update.round)
  const bytes = encodeUpdate({ ...update, round })
  return { round, numExamples, classCounts: [...classCounts], bytes }
}

/** What {@link toyUpdate} gives when a weight is not a number, which an honest client never sends. */
export function updateWithNaN(seed: string, round = 1) {
  const weights = toyWeights(seed)
  weights[0]!.data[3] = Number.NaN
  const facts = toyUpdate(seed, { round })
  const bytes = encodeSafetensors(weights, {
    format: 'graft',
    architecture: TOY_NETWORK.name,
    round: String(round),
    num_examples: String(facts.numExamples),
    class_counts: JSON.stringify(facts.classCounts),
    scorer: 'uniform',
  })
  return { ...facts, bytes }
}

/** The update as the gateway hands it on, lying in `path`. */
export function received(
  { round, numExamples, classCounts, bytes }: ReturnType<typeof toyUpdate>,
  path = '',
): ReceivedUpdate {
  return {
    round,
    numExamples,
    classCounts: [classCounts[0]!, ...classCounts.slice(1)],
    seconds: { train: 1, attribute: 0.5, upload: 0.25 },
    blob: { id: hashOf(bytes), sizeBytes: bytes.length },
    path,
    inspection: UNINSPECTED,
  }
}

/**
 * Lets a workbench look at an update as it comes in, in pieces.
 * @throws GraftError what it finds
 */
export function inspect(
  bench: Pick<Workbench, 'inspectUpdate'>,
  update: ReturnType<typeof toyUpdate>,
  pieceBytes = 1013,
): void {
  const { bytes } = update
  const inspection = bench.inspectUpdate({ sizeBytes: bytes.length })
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    inspection.add(bytes.subarray(at, at + pieceBytes))
  }
  inspection.finish(received(update))
}

export const hashOf = (bytes: Uint8Array): BlobId =>
  BlobId.parse(createHash('sha256').update(bytes).digest('hex'))
