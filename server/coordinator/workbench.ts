import { isDeepStrictEqual } from 'node:util'
import type * as tf from '@tensorflow/tfjs'
import type { ExampleSet } from '../../shared/data/example-set.ts'
import { GraftError } from '../../shared/errors.ts'
import { type BlobId, ClientId, RoundNumber } from '../../shared/ids.ts'
import { neuronGraph, type NeuronGraph, widthsOf } from '../../shared/model/neuron-graph.ts'
import { decodeSafetensors, encodeSafetensors } from '../../shared/model/safetensors.ts'
import { assertFinite, type Weights, writeWeights } from '../../shared/model/weights.ts'
import { LedgerReport } from '../../shared/protocol/ledger.ts'
import { encodeProxySet } from '../../shared/protocol/proxy-set.ts'
import type { RoundReport, Score } from '../../shared/protocol/run-report.ts'
import { decodeUpdate, encodeUpdate, type ExpectedUpdate } from '../../shared/protocol/update.ts'
import { countSteps } from '../../shared/training/count-steps.ts'
import { type ClassEvaluation, evaluate } from '../../shared/training/evaluate.ts'
import { assertSuitable } from '../fusion/assert-suitable.ts'
import { compareParents } from '../fusion/compare-parents.ts'
import { fuseParents } from '../fusion/fuse-parents.ts'
import { packLedger } from '../fusion/pack-ledger.ts'
import type { Parent } from '../fusion/strategy.ts'
import type { ReceivedUpdate } from '../gateway/gateway.ts'
import { type Controls, runControls } from '../proxy/controls.ts'
import { askParents } from '../proxy/ensemble.ts'
import { chooseCandidate } from '../proxy/gate.ts'
import { createTeacher, type Teacher } from '../proxy/teacher.ts'
import { needsTeacher, tune } from '../proxy/tune.ts'
import type { BlobStore } from '../store/store.ts'
import { endsRun } from './ends-run.ts'
import { openState, putState, readState } from './journalled-state.ts'
import type { RunPlan } from './run-plan.ts'
import {
  clientsOf,
  type FusedCandidate,
  type Publication,
  type TunedCandidate,
  type Updates,
} from './round-state.ts'
import { openTrainingRequests, type TrainingRequests } from './training-requests.ts'

/** What the evaluation of a round found, on the test split of the data set. */
export interface Judgement extends Pick<RoundReport, 'controls' | 'published'> {
  /** Empty in a round that leaves out the controls. */
  readonly parents: readonly (ClassEvaluation & { readonly client: ClientId })[]
  readonly fused: Score
  readonly tuned: Score
  readonly publication: Publication
  readonly seconds: number
}

/** What a round begins with. */
export interface RoundPast {
  readonly round: RoundNumber
  readonly globalModel: BlobId
  /** What the strategy remembers with the global model; null: nothing. */
  readonly state: BlobId | null
}

/** What a stage is at, in a few words for display. */
type OnDetail = (detail: string) => void

/** The coordinator's side of the tensors: one model, the proxy set, the test set. */
export interface Workbench {
  /** Name of the run's network. */
  readonly networkName: string
  /** Stores the model of round 0; the same every time. */
  putInitialModel(): Promise<BlobId>
  /** Stores what clients rehearse: the proxy set without its held-out part. */
  putProxySet(): Promise<BlobId>
  /** What the strategy asks of each client's training in a round that begins so. */
  trainingRequests(past: RoundPast): Promise<TrainingRequests>
  /** Size of the largest update of this network. */
  readonly maxUpdateBytes: number
  /** @throws GraftError when these bytes are no update of this run */
  checkUpdate(bytes: Uint8Array, received: ReceivedUpdate): void
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
  evaluate(
    stage: { updates: Updates; fused: FusedCandidate; tuned: TunedCandidate },
    past: RoundPast,
    onDetail?: OnDetail,
  ): Promise<Judgement>
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
  const { strategy, options } = plan.strategy
  const model = network.build()
  const graph = graphOf(model, plan)
  const expected = {
    weights: plan.untrained,
    widths: widthsOf(graph),
    numClasses: test.numClasses,
  }
  const rehearsed = settings.rehearse ? proxy.train.labels.length : 0
  const training = {
    learningRate: settings.training.learningRate,
    countSteps: (numExamples: number) => countSteps(numExamples + rehearsed, settings.training),
  }

  async function putModel(
    weights: Weights,
    { round, parents }: { round: number; parents: readonly Parent[] },
  ): Promise<BlobId> {
    assertFinite(weights)
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
    return blobs.put(encodeSafetensors(weights, metadata))
  }

  async function weightsOf(blob: BlobId): Promise<Weights> {
    return decodeSafetensors(await blobs.get(blob)).tensors
  }

  function parentsOf(updates: Updates): Parent[] {
    return clientsOf(updates).map((id) => {
      const { blob, numExamples, classCounts } = updates[id]!
      const load = async () => decodeUpdate(await blobs.get(blob), expected).weights
      return { id, numExamples, classCounts, scores: [], load }
    })
  }

  /** With the scores that only fusion asks for; one upload is in memory at a time, its scores stay. */
  async function scoredParentsOf(updates: Updates): Promise<Parent[]> {
    const scored: Parent[] = []
    for (const parent of parentsOf(updates)) {
      const { blob } = updates[ClientId.parse(parent.id)]!
      scored.push({ ...parent, scores: decodeUpdate(await blobs.get(blob), expected).scores })
    }
    return scored
  }

  async function scoreOn(examples: ExampleSet, weights: Weights): Promise<ClassEvaluation> {
    writeWeights(model, weights)
    return evaluate(model, examples)
  }

  let proxyAlone: ClassEvaluation | undefined

  /** The parents and what else a fused network has to beat, on the test split. */
  async function controlsBeside(
    updates: Updates,
    onDetail?: OnDetail,
  ): Promise<Pick<Judgement, 'parents' | 'controls'>> {
    const { parents, bestParentTuned, ...controls } = await runControls({
      model,
      graph,
      parents: parentsOf(updates),
      initial: plan.untrained,
      proxyAlone,
      proxy,
      test,
      settings: settings.tune,
      teacher: await teacherOf(updates),
      // The same in every round, and so is the network that is trained on the proxy set alone.
      rng: rng.split('controls'),
      onProgress: (control) => onDetail?.(CONTROL_NAMES[control]),
      ...(signal && { signal }),
    })
    proxyAlone = controls.proxyAlone
    return {
      parents: parents.map(({ id, ...score }) => ({ client: ClientId.parse(id), ...score })),
      controls: { ...controls, bestParentTuned: withParent(bestParentTuned) },
    }
  }

  let current: { readonly of: string; readonly teacher: Promise<Teacher> } | undefined

  /** The one of these updates; tuning and the controls after it ask the same one, which answers once. */
  async function teacherOf(updates: Updates): Promise<Teacher | null> {
    if (!needsTeacher(settings.tune)) return null
    const of = clientsOf(updates)
      .map((client) => updates[client]!.blob)
      .join()
    if (current?.of !== of) current = { of, teacher: askTeacher(parentsOf(updates)) }
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

  return {
    networkName: network.name,
    putInitialModel: () => putModel(plan.initial, { round: 0, parents: [] }),
    putProxySet: () => blobs.put(encodeProxySet(proxy.train)),
    trainingRequests: ({ state }) => openTrainingRequests(plan.strategy, blobs, state),
    maxUpdateBytes: largestUpdate(expected, network.name),

    checkUpdate(bytes, received) {
      const update = decodeUpdate(bytes, expected)
      const announced = {
        round: received.round,
        architecture: network.name,
        numExamples: received.numExamples,
        classCounts: received.classCounts,
      }
      for (const [field, value] of Object.entries(announced)) {
        const found = update[field as keyof typeof announced]
        if (isDeepStrictEqual(found, value)) continue
        const problem = `The update says ${field} ${JSON.stringify(found)}, not ${JSON.stringify(value)}.`
        throw new GraftError('GRAFT_MESSAGE_INVALID', problem)
      }
    },

    async fuse({ round, globalModel, state }, updates, onDetail) {
      const clock = startClock()
      const parents = await scoredParentsOf(updates)
      const stage = rng.split(`round/${round}/fuse`)
      const following = { ...(onDetail && { onProgress: onDetail }), ...(signal && { signal }) }
      const remembered = await readState(blobs, state)
      const diversity =
        settings.controls === 'last' && round < settings.rounds
          ? undefined
          : await compareParents({ parents, graph, proxy, rng: stage, ...following })
      const fused = await fuseParents(strategy, {
        parents,
        graph,
        options,
        proxy,
        start: {
          loadGlobalModel: () => weightsOf(globalModel),
          state: openState(blobs, remembered),
          numClients: settings.clients,
          training,
        },
        rng: stage,
        ...following,
      })
      const { ledger, reason } = fused
      return {
        blob: await putModel(fused.weights, { round, parents }),
        ledger: await blobs.put(Buffer.from(JSON.stringify(packLedger(ledger)))),
        ...(reason !== undefined && { reason }),
        ...(diversity && { diversity }),
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
      const parents = parentsOf(updates)
      const tuned = await tune({
        model,
        start: await weightsOf(fused.blob),
        ...proxy,
        settings: settings.tune,
        teacher: await teacherOf(updates),
        rng: rng.split(`round/${round}/tune`),
        onProgress: ({ epoch }) => onDetail?.(`epoch ${epoch}`),
        ...(signal && { signal }),
      })
      const { isTuned, epochs } = tuned
      const blob = isTuned ? await putModel(tuned.weights, { round, parents }) : fused.blob
      return { blob, isTuned, epochs, seconds: clock() }
    },

    async evaluate({ updates, fused, tuned }, { round, globalModel, state }, onDetail) {
      const clock = startClock()
      const candidates = [
        { name: 'fused', blob: fused.blob },
        ...(tuned.isTuned ? [{ name: 'tuned', blob: tuned.blob }] : []),
      ]
      const judged = []
      for (const candidate of [...candidates, { name: 'kept', blob: globalModel }]) {
        const heldOut = await scoreOn(proxy.heldOut, await weightsOf(candidate.blob))
        judged.push({ ...candidate, heldOut })
      }
      const { published, isNew, reason } = chooseCandidate(judged.slice(0, -1), judged.at(-1)!, {
        count: proxy.heldOut.labels.length,
        publish: settings.publish,
      })

      // What is published is one of the others, mostly: each network is judged once.
      const scores = new Map<BlobId, ClassEvaluation>()
      const judge = async (blob: BlobId) => {
        const score = scores.get(blob) ?? (await scoreOn(test, await weightsOf(blob)))
        scores.set(blob, score)
        return score
      }
      const score = await judge(published.blob)
      const isMeasured =
        settings.controls !== 'last' || endsRun(settings, { round, accuracy: score.accuracy })
      const beside = isMeasured ? await controlsBeside(updates, onDetail) : UNMEASURED
      const remembered = isNew ? fused.state : (state ?? undefined)
      return {
        publication: {
          blob: published.blob,
          isNew,
          ...(remembered !== undefined && { state: remembered }),
        },
        ...beside,
        fused: await judge(fused.blob),
        tuned: await judge(tuned.blob),
        published: {
          ...score,
          candidate: published.name as RoundReport['published']['candidate'],
          isNew,
          reason,
          modelSha256: published.blob,
        },
        seconds: clock(),
      }
    },

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

/** Of a round that leaves them out. */
const UNMEASURED: Pick<Judgement, 'parents' | 'controls'> = {
  parents: [],
  controls: {
    ensemble: null,
    average: null,
    averageTuned: null,
    proxyAlone: null,
    bestParentTuned: null,
  },
}

const CONTROL_NAMES = {
  parents: 'parents and ensemble',
  ensemble: 'ensemble',
  average: 'plain average',
  averageTuned: 'plain average + fine-tuning',
  proxyAlone: 'proxy set alone',
  bestParentTuned: 'best parent + fine-tuning',
} as const satisfies Record<keyof Controls, string>

function withParent({ id, ...evaluation }: { id: string } & ClassEvaluation) {
  return { ...evaluation, parent: ClientId.parse(id) }
}

function largestUpdate(
  expected: ExpectedUpdate & { readonly weights: Weights },
  architecture: string,
): number {
  const most = Number.MAX_SAFE_INTEGER
  const update = encodeUpdate({
    round: RoundNumber.parse(most),
    architecture,
    numExamples: most,
    classCounts: Array.from({ length: expected.numClasses }, () => most),
    scorer: 'x'.repeat(64),
    weights: expected.weights,
    scores: expected.widths.map((width) => new Float32Array(width)),
  })
  return update.byteLength
}

/** @returns a function that says how many seconds have passed */
function startClock(): () => number {
  const since = performance.now()
  return () => (performance.now() - since) / 1000
}
