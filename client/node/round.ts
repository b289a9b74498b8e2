import type * as tf from '@tensorflow/tfjs'
import { attribute } from '../../shared/attribution/attribute.ts'
import type { ScorerName } from '../../shared/attribution/scorer-names.ts'
import { drawProportional } from '../../shared/data/draw.ts'
import { concatenate } from '../../shared/data/concatenate.ts'
import type { ExampleSet } from '../../shared/data/example-set.ts'
import { countClasses, subset } from '../../shared/data/subset.ts'
import type { RunId } from '../../shared/ids.ts'
import type { Network } from '../../shared/model/network.ts'
import { openNetwork } from '../../shared/model/open-network.ts'
import { decodeSafetensors } from '../../shared/model/safetensors.ts'
import { readWeights, type Weights, writeWeights } from '../../shared/model/weights.ts'
import { createRng, type Rng } from '../../shared/numeric/rng.ts'
import type {
  BlobRef,
  ClientProgress,
  EvaluationReport,
  RoundInvited,
  RoundPublished,
  RunJoined,
} from '../../shared/protocol/messages.ts'
import { decodeProxySet } from '../../shared/protocol/proxy-set.ts'
import { encodeUpdate } from '../../shared/protocol/update.ts'
import { evaluate } from '../../shared/training/evaluate.ts'
import { fit } from '../../shared/training/fit.ts'
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

/** A client in a run: who it is, what it has, and its wire to the coordinator. */
export interface Participant {
  readonly run: RunId
  readonly joined: RunJoined
  readonly data: ClientData
  readonly wire: {
    pull(blob: BlobRef, options: TransferOptions): Promise<Uint8Array>
    push(update: OutgoingUpdate, options: TransferOptions): Promise<void>
    report(evaluation: EvaluationReport): Promise<void>
  }
  readonly onProgress: (progress: ClientProgress) => void
}

/**
 * One round of a client, from the invitation to the accepted update. What it sends depends on the
 * global model, the client's name, its data and the run's settings alone, never on timing.
 *
 * @throws GraftError a refusal of the coordinator, or the signal's reason when the round is over
 */
export async function takePart(
  { joined, data, wire, onProgress }: Participant,
  { round, model: blob, proxy, training }: RoundInvited,
  signal: AbortSignal,
): Promise<RoundOutcome> {
  const { clientId, settings } = joined
  const rng = createRng(String(settings.seed)).split(`client/${clientId}/round/${round}`)
  const progress = createProgress(round, onProgress)
  const clock = createStopwatch()

  const globalModel = weightsIn(
    await wire.pull(blob, { signal, onProgress: (done) => progress('pulling', done) }),
  )

  // Public examples beside one's own keep a client from forgetting the classes it has not.
  const examples =
    proxy === undefined
      ? data.train
      : concatenate(data.train, decodeProxySet(await wire.pull(proxy, { signal })))

  const network = await openNetwork(settings, data.train)
  const model = loadModel(globalModel, network)
  let bytes: Uint8Array
  try {
    clock.start('train')
    await fit(model, examples, {
      ...settings.training,
      ...(training?.proximal !== undefined && {
        proximal: { mu: training.proximal, center: globalModel },
      }),
      rng: rng.split('train'),
      onProgress: ({ step, steps, loss }) => progress('training', step / steps, loss),
      signal,
    })

    clock.start('attribute')
    progress('attributing', 0)
    const sample = sampleOf(data.train, settings.scorer, rng.split('attribute'))
    const scores = await attribute(settings.scorer, model, sample, {
      onProgress: ({ done, total }) => progress('attributing', done / total),
      signal,
    })
    signal.throwIfAborted()

    bytes = encodeUpdate({
      round,
      architecture: network.name,
      numExamples: data.train.labels.length,
      classCounts: countClasses(data.train),
      scorer: settings.scorer,
      weights: await readWeights(model),
      scores,
    })
  } finally {
    model.dispose()
  }

  clock.start('upload')
  const commit = () => ({
    numExamples: data.train.labels.length,
    classCounts: countClasses(data.train),
    seconds: clock.read(),
  })
  await wire.push(
    { round, bytes, commit },
    { signal, onProgress: (done) => progress('uploading', done) },
  )
  return { round, sizeBytes: bytes.length, seconds: clock.read() }
}

/** Judges a published model on examples of the client's own; without any it does nothing. */
export async function receive(
  { joined, data, wire, onProgress }: Participant,
  { round, model: blob }: RoundPublished,
): Promise<EvaluationReport | null> {
  if (data.judge === null) return null
  const progress = createProgress(round, onProgress)
  progress('evaluating', 0)
  const network = await openNetwork(joined.settings, data.train)
  const model = loadModel(weightsIn(await wire.pull(blob, {})), network)
  try {
    const { accuracy, loss } = await evaluate(model, data.judge)
    const report = { round, accuracy, loss, numExamples: data.judge.labels.length }
    await wire.report(report)
    return report
  } finally {
    model.dispose()
  }
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

/** Some examples, with the shares of classes of all. */
function sampleOf(examples: ExampleSet, scorer: ScorerName, rng: Rng): ExampleSet {
  const { labels, numClasses } = examples
  const count = ATTRIBUTION_EXAMPLES[scorer]
  if (labels.length <= count) return examples
  return subset(examples, drawProportional({ labels, numClasses, count, rng }))
}

/** Seconds of each phase; starting one ends the one before. */
function createStopwatch() {
  const seconds = { train: 0, attribute: 0, upload: 0 }
  let running: { phase: keyof typeof seconds; since: number } | null = null
  function read() {
    const now = performance.now()
    if (running === null) return { ...seconds }
    const { phase, since } = running
    return { ...seconds, [phase]: (now - since) / 1000 }
  }
  return {
    read,
    start(phase: keyof typeof seconds) {
      Object.assign(seconds, read())
      running = { phase, since: performance.now() }
    },
  }
}
