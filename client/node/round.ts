import type * as tf from '@tensorflow/tfjs'
import { attribute } from '../../shared/attribution/attribute.ts'
import type { ScorerName } from '../../shared/attribution/scorer-names.ts'
import { concatenate } from '../../shared/data/concatenate.ts'
import type { ExampleSet } from '../../shared/data/example-set.ts'
import { sample } from '../../shared/data/sample.ts'
import { countClasses } from '../../shared/data/subset.ts'
import type { RoundNumber, RunId } from '../../shared/ids.ts'
import { subtractWeights } from '../../shared/model/delta.ts'
import { decodeModel } from '../../shared/model/encoded-model.ts'
import { type Encoding, isDelta } from '../../shared/model/encodings.ts'
import type { Network } from '../../shared/model/network.ts'
import { decodeSafetensors } from '../../shared/model/safetensors.ts'
import { readWeights, type Weights, writeWeights } from '../../shared/model/weights.ts'
import { createRng } from '../../shared/numeric/rng.ts'
import type {
  BlobRef,
  ClientProgress,
  EvaluationReport,
  RoundInvited,
  RoundPublished,
  RunJoined,
  TrainingRequest,
} from '../../shared/protocol/messages.ts'
import { decodeProxySet } from '../../shared/protocol/proxy-set.ts'
import { encodeUpdate } from '../../shared/protocol/update.ts'
import { type Evaluation, evaluate } from '../../shared/training/evaluate.ts'
import { classLogPriors } from '../../shared/training/class-log-priors.ts'
import { fit } from '../../shared/training/fit.ts'
import { type Privacy, toldCounts } from '../privacy/privacy.ts'
import { createProgress, type RoundOutcome } from './progress.ts'
import type { OutgoingUpdate, TransferOptions } from './transfer.ts'

/**
 * Scores are means over examples, and settle with a few hundred. Ablation takes a pass a neuron: with 96
 * channels 1.3 times as long as conductance, and longer the more there are, so it gets fewer.
 */
const ATTRIBUTION_EXAMPLES = {
  conductance: 400,
  deeplift: 400,
  ablation: 100,
  uniform: 1,
} as const satisfies Record<ScorerName, number>

/** What a client trains on, and judges published models by; `judge` is null when it judges none. */
export interface ClientData {
  readonly train: ExampleSet
  readonly judge: ExampleSet | null
}

/** A client's way to the coordinator. */
export interface Wire {
  pull(blob: BlobRef, options: TransferOptions): Promise<Uint8Array>
  push(update: OutgoingUpdate, options: TransferOptions): Promise<void>
  report(evaluation: EvaluationReport): Promise<void>
  /** Says that this client judges no model. */
  decline(round: RoundNumber): Promise<void>
}

/** What a client does on its engine. */
export interface Work {
  /** Whether what is sent may tell nothing of the data beside what is accounted for. */
  readonly isPrivate?: boolean
  makeUpdate(task: LocalTask, options: WorkOptions): Promise<MadeUpdate>
  /** Judges a model by examples of the client's own. */
  judge(model: Uint8Array, examples: ExampleSet): Promise<Evaluation>
}

/** All that decides what a client sends: equal tasks give equal bytes. */
export interface LocalTask {
  readonly joined: RunJoined
  readonly data: ClientData
  readonly invitation: RoundInvited
  /** Bytes of the blobs that the invitation names. */
  readonly globalModel: Uint8Array
  readonly proxy: Uint8Array | undefined
  readonly correction?: { readonly add: Uint8Array; readonly subtract: Uint8Array | undefined }
}

export interface WorkOptions {
  readonly progress: ReturnType<typeof createProgress>
  readonly signal: AbortSignal
}

export interface MadeUpdate {
  /** Of the file that is sent. */
  readonly bytes: Uint8Array
  readonly seconds: Readonly<Record<'train' | 'attribute', number>>
}

/** A client in a run: who it is, what it has, what it does, and its wire to the coordinator. */
export interface Participant {
  readonly run: RunId
  readonly joined: RunJoined
  readonly data: ClientData
  readonly work: Work
  readonly wire: Wire
  readonly onProgress: (progress: ClientProgress) => void
}

/** Examples that a client says it trains on. */
export interface ToldCounts {
  readonly numExamples: number
  readonly classCounts: readonly number[]
}

/** @param isPrivate whether the counts must say nothing of the data */
export function tell({ train }: ClientData, isPrivate: boolean): ToldCounts {
  if (isPrivate) return toldCounts(train.numClasses)
  return { numExamples: train.labels.length, classCounts: countClasses(train) }
}

/**
 * One round of a client, from the invitation to the accepted update. What it sends depends on the
 * global model, the client's name, its data and the run's settings alone, never on timing.
 *
 * @throws GraftError a refusal of the coordinator, or the signal's reason when the round is over
 */
export async function takePart(
  { joined, data, work, wire, onProgress }: Participant,
  invitation: RoundInvited,
  signal: AbortSignal,
): Promise<RoundOutcome> {
  const { round, model, proxy, training } = invitation
  const progress = createProgress(round, onProgress)
  const globalModel = await wire.pull(model, {
    signal,
    onProgress: (done) => progress('pulling', done),
  })
  const task = {
    ...{ joined, data, invitation, globalModel },
    proxy: proxy && (await wire.pull(proxy, { signal })),
    ...(training?.correction && {
      correction: await pullCorrection(wire, training.correction, signal),
    }),
  }
  const { bytes, seconds } = await work.makeUpdate(task, { progress, signal })

  const upload = startClock()
  const commit = () => ({
    ...asCounts(tell(data, work.isPrivate === true)),
    // How long training took tells how many examples there are.
    seconds: work.isPrivate ? { ...seconds, upload: 0 } : { ...seconds, upload: upload() },
  })
  await wire.push(
    { round, bytes, commit },
    { signal, onProgress: (done) => progress('uploading', done) },
  )
  return { round, sizeBytes: bytes.length, seconds: { ...seconds, upload: upload() } }
}

type Correction = NonNullable<TrainingRequest['correction']>

async function pullCorrection(wire: Wire, { add, subtract }: Correction, signal: AbortSignal) {
  return {
    add: await wire.pull(add, { signal }),
    subtract: subtract && (await wire.pull(subtract, { signal, isOwn: true })),
  }
}

/** Judges a published model on examples of the client's own; without any it does nothing. */
export async function receive(
  { data, work, wire, onProgress }: Participant,
  { round, model: blob }: RoundPublished,
): Promise<EvaluationReport | null> {
  if (data.judge === null || work.isPrivate) {
    await wire.decline(round)
    return null
  }
  createProgress(round, onProgress)('evaluating', 0)
  const { accuracy, loss } = await work.judge(await wire.pull(blob, {}), data.judge)
  const report = { round, accuracy, loss, numExamples: data.judge.labels.length }
  await wire.report(report)
  return report
}

/** The work of a client on the network of the run that it has joined. */
export function createWork(
  network: Network,
  encoding: Encoding = 'float32',
  privacy?: Privacy,
): Work {
  return {
    isPrivate: privacy !== undefined,
    makeUpdate: (task, options) => makeUpdate(task, { network, privacy }, options),
    async judge(bytes, examples) {
      const model = loadModel(decodeModel(bytes, network.weights, encoding), network)
      try {
        return await evaluate(model, examples)
      } finally {
        model.dispose()
      }
    },
  }
}

/** Trains the global model on the client's examples, and scores its neurons. */
async function makeUpdate(
  { joined, data, invitation, globalModel, proxy, correction }: LocalTask,
  { network, privacy }: { readonly network: Network; readonly privacy: Privacy | undefined },
  { progress, signal }: WorkOptions,
): Promise<MadeUpdate> {
  const { clientId, settings } = joined
  const { round, training: asked } = invitation
  const rng = createRng(String(settings.seed)).split(`client/${clientId}/round/${round}`)
  // Public examples beside one's own keep a client from forgetting the classes it has not.
  const examples = proxy === undefined ? data.train : concatenate(data.train, decodeProxySet(proxy))

  const { encoding = 'float32' } = settings
  const start = decodeModel(globalModel, network.weights, encoding)
  const model = loadModel(start, network)
  try {
    const training = startClock()
    await fit(model, examples, {
      ...settings.training,
      ...(asked?.proximal !== undefined && {
        proximal: { mu: asked.proximal, center: start },
      }),
      ...(correction && {
        correction: {
          add: weightsIn(correction.add),
          subtract: correction.subtract && weightsIn(correction.subtract),
        },
      }),
      ...(settings.training.logitAdjustment && { logPriors: classLogPriors(examples) }),
      rng: rng.split('train'),
      onProgress: ({ step, steps, loss }) => progress('training', step / steps, loss),
      signal,
    })
    const train = training()

    const attributing = startClock()
    progress('attributing', 0)
    const count = ATTRIBUTION_EXAMPLES[settings.scorer]
    const scored = sample(data.train, count, rng.split('attribute'))
    const scores = privacy
      ? []
      : await attribute(settings.scorer, model, scored, {
          onProgress: ({ done, total }) => progress('attributing', done / total),
          signal,
        })
    signal.throwIfAborted()
    const trained = await readWeights(model)

    const weights = privacy?.release(trained, start) ?? trained
    const facts = {
      round,
      architecture: network.name,
      ...tell(data, privacy !== undefined),
      scorer: settings.scorer,
      scores,
    }
    const update = isDelta(encoding)
      ? { ...facts, weights: subtractWeights(weights, start), base: invitation.model.id }
      : { ...facts, weights }
    const bytes = encodeUpdate(update, encoding)
    return { bytes, seconds: privacy ? UNTOLD : { train, attribute: attributing() } }
  } finally {
    model.dispose()
  }
}

const UNTOLD = { train: 0, attribute: 0 }

/** As messages have them: there is at least one class. */
function asCounts({ numExamples, classCounts: [first = 0, ...others] }: ToldCounts) {
  return { numExamples, classCounts: [first, ...others] as [number, ...number[]] }
}

function weightsIn(bytes: Uint8Array): Weights {
  return decodeSafetensors(bytes).tensors
}

/** The caller disposes of the model. */
function loadModel(weights: Weights, network: Network): tf.LayersModel {
  const model = network.build()
  try {
    writeWeights(model, weights)
  } catch (error) {
    model.dispose()
    throw error
  }
  return model
}

/** @returns a function that says how many seconds have passed */
function startClock(): () => number {
  const since = performance.now()
  return () => (performance.now() - since) / 1000
}
