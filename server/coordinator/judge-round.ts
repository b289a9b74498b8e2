import type * as tf from '@tensorflow/tfjs'
import type { ExampleSet } from '../../shared/data/example-set.ts'
import { type BlobId, ClientId } from '../../shared/ids.ts'
import type { NeuronGraph } from '../../shared/model/neuron-graph.ts'
import type { WeightReader } from '../../shared/model/weight-reader.ts'
import type { RoundReport, Score } from '../../shared/protocol/run-report.ts'
import { type ClassEvaluation, judge as judgeLogits } from '../../shared/training/evaluate.ts'
import { predictWith } from '../../shared/training/predict.ts'
import type { Parent } from '../fusion/strategy.ts'
import { createBenchNetwork } from '../proxy/bench-network.ts'
import { type Controls, runControls } from '../proxy/controls.ts'
import { contributions } from '../proxy/contributions.ts'
import { chooseCandidate } from '../proxy/gate.ts'
import type { Teacher } from '../proxy/teacher.ts'
import { endsRun, measuresControls } from './ends-run.ts'
import type { FusedCandidate, Publication, TunedCandidate, Updates } from './round-state.ts'
import type { OnDetail, RoundPast } from './round-past.ts'
import type { RunPlan } from './run-plan.ts'
import { startClock } from './stopwatch.ts'

/** What the evaluation of a round found, on the test split of the data set. */
export interface Judgement extends Pick<RoundReport, 'controls' | 'published' | 'encoding'> {
  /** Empty in a round that leaves out the controls. */
  readonly parents: readonly JudgedUpdate[]
  readonly fused: Score
  readonly tuned: Score
  readonly publication: Publication
  readonly seconds: number
}

/** A client's network on the test split, and what it brings to the ensemble on held-out proxy examples. */
interface JudgedUpdate extends ClassEvaluation {
  readonly client: ClientId
  /** Absent of a client alone. */
  readonly contribution?: number
}

/** What judging looks at; borrowed. */
export interface Courtroom {
  /** Overwritten with networks that are tuned. */
  readonly model: tf.LayersModel
  readonly graph: NeuronGraph
  readonly openModel: (blob: BlobId) => Promise<WeightReader>
  /** The same as clients get it. */
  readonly openForClients: (blob: BlobId) => Promise<WeightReader>
  readonly parentsOf: (updates: Updates) => Parent[]
  /** The one that tuned the candidates. */
  readonly teacherOf: (updates: Updates) => Promise<Teacher | null>
  readonly sizesOf: (model: BlobId) => Promise<ModelSizes>
  readonly signal: AbortSignal | undefined
}

/** Of the files of one model. */
export interface ModelSizes {
  /** As clients get it. */
  readonly sizeBytes: number
  /** As it is stored. */
  readonly float32Bytes: number
}

/** Candidates of one round, and whose updates they come from. */
export interface Candidates {
  readonly updates: Updates
  readonly fused: FusedCandidate
  readonly tuned: TunedCandidate
}

/** Lets the gate decide on held-out proxy examples, and measures everything on the test split, which decides nothing. */
export function createJudge(plan: RunPlan, room: Courtroom) {
  const { settings, proxy, test, rng } = plan
  const { model, graph, openModel, signal } = room
  /** One network at a time is on the engine, and only while a round is judged. */
  const bench = createBenchNetwork(graph.weights)
  let loaded: BlobId | undefined

  async function scoreOn(examples: ExampleSet, blob: BlobId): Promise<ClassEvaluation> {
    if (loaded !== blob) await bench.load(await openModel(blob))
    loaded = blob
    return scoreLoaded(examples)
  }

  async function scoreLoaded(examples: ExampleSet): Promise<ClassEvaluation> {
    return judgeLogits(await predictWith(graph.ops, bench.source, examples), examples)
  }

  function clear(): void {
    bench.dispose()
    loaded = undefined
  }

  let proxyAlone: ClassEvaluation | undefined
  /** What was found of the model that the last round published: the next one begins with it, and judges it again. */
  let published: KnownModel | undefined

  /** The parents and what else a fused network has to beat, on the test split. */
  async function controlsBeside(
    updates: Updates,
    onDetail?: OnDetail,
  ): Promise<Pick<Judgement, 'parents' | 'controls'>> {
    const { parents, bestParentTuned, ...controls } = await runControls({
      model,
      graph,
      parents: room.parentsOf(updates),
      initial: plan.untrained,
      proxyAlone,
      proxy,
      test,
      settings: settings.tune,
      teacher: await room.teacherOf(updates),
      // The same in every round, and so is the network that is trained on the proxy set alone.
      rng: rng.split('controls'),
      onProgress: (control) => onDetail?.(CONTROL_NAMES[control]),
      ...(signal && { signal }),
    })
    proxyAlone = controls.proxyAlone
    const brought = await contributions(model, room.parentsOf(updates), proxy.heldOut)
    return {
      parents: parents.map(({ id, ...score }) => {
        const contribution = brought.get(id)
        const own = contribution === undefined ? {} : { contribution }
        return { client: ClientId.parse(id), ...score, ...own }
      }),
      controls: { ...controls, bestParentTuned: withParent(bestParentTuned) },
    }
  }

  /** What it costs that clients do not get the model as it is; nothing of a run in float32. */
  async function judgeEncoded(blob: BlobId): Promise<RoundReport['encoding']> {
    const { encoding = 'float32' } = settings
    if (encoding === 'float32') return undefined
    loaded = undefined
    await bench.load(await room.openForClients(blob))
    const { accuracy, loss } = await scoreLoaded(test)
    const { sizeBytes, float32Bytes } = await room.sizesOf(blob)
    return { name: encoding, accuracy, loss, modelBytes: sizeBytes, float32Bytes }
  }

  return async (...of: Parameters<typeof judge>): Promise<Judgement> => {
    try {
      return await judge(...of)
    } finally {
      clear()
    }
  }

  async function judge(
    { updates, fused, tuned }: Candidates,
    { round, globalModel, state }: RoundPast,
    onDetail?: OnDetail,
  ): Promise<Judgement> {
    const clock = startClock()
    const candidates = [
      { name: 'fused', blob: fused.blob },
      ...(tuned.isTuned ? [{ name: 'tuned', blob: tuned.blob }] : []),
    ]
    const known = published?.blob === globalModel ? published : undefined
    const onHeldOut = async <Candidate extends { readonly blob: BlobId }>(of: Candidate) => {
      const isKnown = of.blob === known?.blob
      return { ...of, heldOut: isKnown ? known.heldOut : await scoreOn(proxy.heldOut, of.blob) }
    }
    // The one that is there first, so that a candidate is still on the engine when it is chosen.
    const kept = await onHeldOut({ name: 'kept', blob: globalModel })
    const judged = []
    for (const candidate of candidates) judged.push(await onHeldOut(candidate))
    const {
      published: chosen,
      isNew,
      reason,
    } = chooseCandidate(judged, kept, {
      count: proxy.heldOut.labels.length,
      publish: settings.publish,
    })

    // What is published is one of the others, mostly: each network is judged once.
    const scores = new Map(known && [[known.blob, known.score]])
    const scoreOf = async (blob: BlobId) => {
      const score = scores.get(blob) ?? (await scoreOn(test, blob))
      scores.set(blob, score)
      return score
    }
    const score = await scoreOf(chosen.blob)
    const encoding = known?.blob === chosen.blob ? known.encoding : await judgeEncoded(chosen.blob)
    published = { blob: chosen.blob, heldOut: chosen.heldOut, score, encoding }
    const isLast = endsRun(settings, { round, accuracy: score.accuracy })
    const scored = { fused: await scoreOf(fused.blob), tuned: await scoreOf(tuned.blob) }
    clear()
    const beside = measuresControls(settings, { isLast })
      ? await controlsBeside(updates, onDetail)
      : UNMEASURED
    const remembered = isNew ? fused.state : (state ?? undefined)
    return {
      publication: {
        blob: chosen.blob,
        isNew,
        ...(remembered !== undefined && { state: remembered }),
      },
      ...beside,
      ...scored,
      published: {
        ...score,
        candidate: chosen.name as RoundReport['published']['candidate'],
        isNew,
        reason,
        modelSha256: chosen.blob,
      },
      ...(encoding && { encoding }),
      seconds: clock(),
    }
  }
}

interface KnownModel {
  readonly blob: BlobId
  /** On the held-out proxy examples. */
  readonly heldOut: ClassEvaluation
  /** On the test split. */
  readonly score: ClassEvaluation
  readonly encoding: RoundReport['encoding']
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
