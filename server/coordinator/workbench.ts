import type * as tf from '@tensorflow/tfjs'
import type { BlobId, RoundNumber } from '../../shared/ids.ts'
import { neuronGraph, type NeuronGraph, widthsOf } from '../../shared/model/neuron-graph.ts'
import { modelBytes } from '../../shared/model/model-bytes.ts'
import { readerOfClientModel, readerOfModel } from '../../shared/model/stored-weights.ts'
import { readAll, type WeightReader } from '../../shared/model/weight-reader.ts'
import { finitePieces, streamOf, type WeightStream } from '../../shared/model/weight-stream.ts'
import { LedgerReport } from '../../shared/protocol/ledger.ts'
import { encodeProxySet } from '../../shared/protocol/proxy-set.ts'
import type { ExpectedUpdate, Update } from '../../shared/protocol/update.ts'
import { countSteps } from '../../shared/training/count-steps.ts'
import { assertSuitable } from '../fusion/assert-suitable.ts'
import { compareParents } from '../fusion/compare-parents.ts'
import { openFusion } from '../fusion/fuse-parents.ts'
import { packLedger } from '../fusion/pack-ledger.ts'
import type { Parent } from '../fusion/strategy.ts'
import type { Inspection } from '../gateway/gateway.ts'
import { askParents } from '../proxy/ensemble.ts'
import { createTeacher, type Teacher } from '../proxy/teacher.ts'
import { needsTeacher, tune } from '../proxy/tune.ts'
import { openModelFile } from '../store/open-model-file.ts'
import { putFile } from '../store/put-file.ts'
import type { BlobStore } from '../store/store.ts'
import { measuresControls } from './ends-run.ts'
import { once } from './once.ts'
import { createClientModels } from './client-models.ts'
import { checkUpdates } from './check-updates.ts'
import { openState, putState, readState } from './journalled-state.ts'
import { type Candidates, createJudge, type Judgement, type ModelSizes } from './judge-round.ts'
import type { OnDetail, RoundPast } from './round-past.ts'
import { rulesOf } from './round-rules.ts'
import type { RunPlan } from './run-plan.ts'
import {
  clientsOf,
  type FusedCandidate,
  type TunedCandidate,
  type Updates,
  withoutSetAside,
} from './round-state.ts'
import { startClock } from './stopwatch.ts'
import { openTrainingRequests, type TrainingRequests } from './training-requests.ts'
import { type AnnouncedUpdate, createUpdateReader } from './update-reader.ts'

/** The coordinator's side of the tensors: one model, the proxy set, the test set. */
export interface Workbench {
  /** Name of the run's network. */
  readonly networkName: string
  /** Stores the model of round 0; the same every time. */
  putInitialModel(): Promise<BlobId>
  /** Stores a model as the run's clients get it, once: the same every time. In float32 it is the model itself. */
  putForClients(model: BlobId): Promise<BlobId>
  /** Stores what clients rehearse: the proxy set without its held-out part. */
  putProxySet(): Promise<BlobId>
  /** What the strategy asks of each client's training in a round that begins so. */
  trainingRequests(past: RoundPast): Promise<TrainingRequests>
  /** Size of the largest update of this network. */
  readonly maxUpdateBytes: number
  /** Looks at an update while it comes in; refuses, at its end, what is no update of this run. */
  inspectUpdate(announced: AnnouncedUpdate): Inspection
  /** What an update says of itself. @throws GraftError when it is not finite, or not of the run's shape */
  readUpdate(bytes: Uint8Array): Update
  /** Stores the fused network, its ledger and the strategy's state. @throws GraftError what the strategy refuses */
  fuse(past: RoundPast, updates: Updates, onDetail?: OnDetail): Promise<FusedCandidate>
  /** The ledger of a fused network; undefined where none was written. */
  ledgerOf(fused: FusedCandidate): Promise<LedgerReport | undefined>
  tune(
    round: RoundNumber,
    updates: Updates,
    fused: FusedCandidate,
    onDetail?: OnDetail,
  ): Promise<TunedCandidate>
  /** Judges candidates and controls, and lets the gate decide. */
  evaluate(candidates: Candidates, past: RoundPast, onDetail?: OnDetail): Promise<Judgement>
  dispose(): void
}

/**
 * Writes nothing yet.
 *
 * @param signal once aborted, fusing and tuning reject with its reason
 * @throws GraftError GRAFT_STRATEGY_UNSUITABLE and others, when the strategy cannot fuse this model
 */
export function createWorkbench(plan: RunPlan, blobs: BlobStore, signal?: AbortSignal): Workbench {
  const { settings, network, proxy, test, rng } = plan
  const { encoding = 'float32' } = settings
  const { strategy, options } = plan.strategy
  const model = network.build()
  const graph = graphOf(model, plan)
  const expected: ExpectedUpdate = {
    weights: network.weights,
    widths: widthsOf(graph),
    numClasses: test.numClasses,
    encoding,
  }
  const rehearsed = settings.rehearse ? proxy.train.labels.length : 0
  const training = {
    learningRate: settings.training.learningRate,
    countSteps: (numExamples: number) => countSteps(numExamples + rehearsed, settings.training),
  }

  async function putModel(
    weights: WeightStream,
    { round, parents }: { round: number; parents: readonly Parent[] },
  ): Promise<BlobId> {
    const counts = Array.from({ length: test.numClasses }, (_, label) =>
      parents.reduce((sum, { classCounts }) => sum + (classCounts[label] ?? 0), 0),
    )
    const metadata = {
      format: 'graft',
      architecture: network.name,
      round: String(round),
      num_examples: String(parents.reduce((sum, { numExamples }) => sum + numExamples, 0)),
      class_counts: JSON.stringify(counts),
    }
    const pieces = () => finitePieces(weights)
    return putFile(blobs, modelBytes({ shapes: weights.shapes, pieces }, metadata))
  }

  async function openModel(blob: BlobId): Promise<WeightReader> {
    return readerOfModel(await openModelFile(blobs, blob))
  }

  const forClients = createClientModels(blobs, encoding)

  /** A stored model as clients get it: what they train from. */
  async function openForClients(model: BlobId): Promise<WeightReader> {
    const file = await openModelFile(blobs, await forClients(model))
    return readerOfClientModel(file, network.weights, encoding)
  }

  const read = createUpdateReader(
    expected,
    {
      ...{ architecture: network.name, scorer: settings.scorer },
      cohortSize: rulesOf(settings).cohortSize,
    },
    blobs,
  )
  let current: { readonly of: string; readonly teacher: Promise<Teacher> } | undefined

  async function sizesOf(model: BlobId): Promise<ModelSizes> {
    const sizeBytes = await blobs.sizeOf(await forClients(model))
    return { sizeBytes, float32Bytes: await blobs.sizeOf(model) }
  }

  /** The one of these updates; tuning and the controls after it ask the same one, which answers once. */
  async function teacherOf(updates: Updates): Promise<Teacher | null> {
    if (!needsTeacher(settings.tune)) return null
    const of = clientsOf(updates)
      .map((client) => updates[client]!.blob)
      .join()
    if (current?.of !== of) current = { of, teacher: askTeacher(read.parents(updates)) }
    return current.teacher
  }

  async function askTeacher(parents: readonly Parent[]): Promise<Teacher> {
    const [heldOut] = await askParents(model, parents, [proxy.heldOut])
    return createTeacher({
      model,
      parents,
      train: proxy.train,
      heldOut: heldOut!.ensemble,
      epochs: settings.tune.epochs,
      rng: rng.split('teacher'),
    })
  }

  const judge = createJudge(plan, {
    ...{ model, graph, openModel, openForClients, teacherOf, signal, sizesOf },
    parentsOf: read.parents,
  })

  return {
    networkName: network.name,
    putInitialModel: () => putModel(plan.initial(), { round: 0, parents: [] }),
    putForClients: forClients,
    putProxySet: () => blobs.put(encodeProxySet(proxy.train)),
    trainingRequests: ({ state }) => openTrainingRequests(plan.strategy, blobs, state),
    maxUpdateBytes: read.maxBytes,
    inspectUpdate: read.inspect,
    readUpdate: read.read,

    async fuse({ round, globalModel, state }, updates, onDetail) {
      const clock = startClock()
      const accepted = await read.scoredParents(updates)
      const start = once(() => openForClients(globalModel))
      const checks =
        settings.outliers === 'off'
          ? undefined
          : await checkUpdates({
              ...{ parents: accepted, start: await start(), model, settings },
              proxy: proxy.train,
              rng: rng.split(`round/${round}/check`),
              ...(signal && { signal }),
            })
      const kept = withoutSetAside(updates, checks)
      const parents = accepted.filter(({ id }) => id in kept)
      const stage = rng.split(`round/${round}/fuse`)
      const following = { ...(onDetail && { onProgress: onDetail }), ...(signal && { signal }) }
      const remembered = await readState(blobs, state)
      const isLast = round >= settings.rounds
      const diversity = measuresControls(settings, { isLast })
        ? await compareParents({ parents, graph, proxy, rng: stage, ...following })
        : undefined
      const fused = await openFusion(strategy, {
        parents,
        graph,
        options,
        proxy,
        start: {
          globalModel: { open: start, load: async () => readAll(await start()) },
          state: openState(blobs, remembered),
          numClients: settings.clients,
          training,
        },
        rng: stage,
        ...following,
      })
      const { reason } = fused
      const blob = await putModel(fused.weights, { round, parents })
      return {
        blob,
        ledger: await blobs.put(Buffer.from(JSON.stringify(packLedger(fused.ledger())))),
        ...(reason !== undefined && { reason }),
        ...(diversity && { diversity }),
        ...(checks && { checks }),
        ...(fused.state && { state: await putState(blobs, remembered, fused.state) }),
        seconds: clock(),
      }
    },

    async ledgerOf({ ledger }) {
      if (ledger === undefined) return undefined
      return LedgerReport.parse(JSON.parse(Buffer.from(await blobs.get(ledger)).toString()))
    },

    async tune(round, updates, fused, onDetail) {
      const clock = startClock()
      const untuned = { blob: fused.blob, isTuned: false, epochs: 0 }
      if (settings.tune.mode === 'none') return { ...untuned, seconds: clock() }
      const parents = read.parents(updates)
      const tuned = await tune({
        model,
        start: await readAll(await openModel(fused.blob)),
        ...proxy,
        settings: settings.tune,
        teacher: await teacherOf(updates),
        rng: rng.split(`round/${round}/tune`),
        onProgress: ({ epoch }) => onDetail?.(`epoch ${epoch}`),
        ...(signal && { signal }),
      })
      if (!tuned.isTuned) return { ...untuned, epochs: tuned.epochs, seconds: clock() }
      const blob = await putModel(streamOf(tuned.weights), { round, parents })
      return { blob, isTuned: true, epochs: tuned.epochs, seconds: clock() }
    },

    evaluate: judge,

    dispose() {
      model.dispose()
    },
  }
}

/** Its neurons, once the strategy has said that it can fuse them; a model that it cannot is disposed. */
function graphOf(model: tf.LayersModel, { strategy, settings }: RunPlan): NeuronGraph {
  try {
    const graph = neuronGraph(model)
    assertSuitable(strategy, graph, { fewest: settings.quorum, most: settings.clients })
    return graph
  } catch (error) {
    model.dispose()
    throw error
  }
}
