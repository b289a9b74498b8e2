import type * as tf from '@tensorflow/tfjs'
import type { ExampleSet } from '../../shared/data/example-set.ts'
import { type ErrorCode, GraftError } from '../../shared/errors.ts'
import type { NeuronGraph } from '../../shared/model/neuron-graph.ts'
import { type Weights, writeWeights } from '../../shared/model/weights.ts'
import type { Rng } from '../../shared/numeric/rng.ts'
import type { TuneSettings } from '../../shared/protocol/run-settings.ts'
import { type ClassEvaluation, evaluate } from '../../shared/training/evaluate.ts'
import { fedavg } from '../fusion/fedavg.ts'
import { fuseParents } from '../fusion/fuse-parents.ts'
import type { FusionInput, Parent } from '../fusion/strategy.ts'
import { bestParent } from './best-parent.ts'
import { askParents, type Opinion } from './ensemble.ts'
import type { ProxySplit } from './split-proxy.ts'
import type { Teacher } from './teacher.ts'
import { tune } from './tune.ts'

export interface ControlsInput {
  /** Borrowed, of the parents' architecture; its weights are overwritten. */
  readonly model: tf.LayersModel
  readonly graph: NeuronGraph
  readonly parents: readonly Parent[]
  /** What the parents say about `proxy.heldOut` and `test`; asked here when not given. */
  readonly opinions?: Opinions
  /** The untrained global model: where a network that sees the proxy set alone starts. */
  readonly initial: () => Weights
  /** What became of that network, where it is known: it has nothing to do with the parents. */
  readonly proxyAlone?: ClassEvaluation | undefined
  readonly proxy: ProxySplit
  /** Judges everything, decides nothing. */
  readonly test: ExampleSet
  readonly settings: TuneSettings
  /** That of the fused network; null when the mode needs none. */
  readonly teacher: Teacher | null
  readonly rng: Rng
  /** Called before each control is trained or judged. */
  readonly onProgress?: (control: keyof Controls) => void
  readonly signal?: AbortSignal
}

export interface Opinions {
  readonly heldOut: Opinion
  readonly test: Opinion
}

/** What a fused model has to beat, all on the same test set with the same tuning budget. */
export interface Controls {
  /** Each parent as it was uploaded, in the order of the ids. */
  readonly parents: readonly (ClassEvaluation & { readonly id: string })[]
  /** All parents together, probabilities weighed by class shares. */
  readonly ensemble: ClassEvaluation
  /** Weights averaged by examples; null where that gives no network. */
  readonly average: ClassEvaluation | null
  readonly averageTuned: ClassEvaluation | null
  /** A network trained on the proxy set alone, on its labels. */
  readonly proxyAlone: ClassEvaluation
  /** The parent that is best on the held-out proxy examples, then tuned. */
  readonly bestParentTuned: ClassEvaluation & { readonly id: string }
}

/**
 * Measures the controls beside the fused model. Nothing is picked by the test set.
 *
 * @throws GraftError GRAFT_SHAPE_MISMATCH when the parents are not of the model's architecture
 */
export async function runControls(input: ControlsInput): Promise<Controls> {
  const { model, parents, graph, test, rng, onProgress } = input
  onProgress?.('parents')
  const opinions = input.opinions ?? (await askAll(input))
  const judgeAverage = async (weights: Weights): Promise<ClassEvaluation> => {
    onProgress?.('average')
    writeWeights(model, weights)
    return evaluate(model, test)
  }
  const tuneAndJudge = async (
    control: keyof Controls,
    start: Weights,
    mode = input.settings.mode,
  ): Promise<ClassEvaluation> => {
    onProgress?.(control)
    await tune({
      model,
      start,
      train: input.proxy.train,
      heldOut: input.proxy.heldOut,
      settings: { ...input.settings, mode },
      teacher: input.teacher,
      rng: input.rng.split(control),
      ...(input.signal && { signal: input.signal }),
    })
    return evaluate(model, test)
  }

  const average = await averageOf({ parents, graph, options: {}, rng })
  const best = bestParent(parents, opinions.heldOut)
  return {
    parents: [...opinions.test.parents].map(([id, evaluation]) => ({ id, ...evaluation })),
    ensemble: opinions.test.ensemble,
    average: average && (await judgeAverage(average)),
    averageTuned: average && (await tuneAndJudge('averageTuned', average)),
    // By labels whatever the mode: a teacher would bring in what the clients know.
    proxyAlone: input.proxyAlone ?? (await tuneAndJudge('proxyAlone', input.initial(), 'labels')),
    bestParentTuned: {
      id: best.id,
      ...(await tuneAndJudge('bestParentTuned', await best.load())),
    },
  }
}

/** What averaging refuses of networks that others can fuse. */
const UNAVERAGED: ReadonlySet<ErrorCode> = new Set(['GRAFT_SHAPE_MISMATCH', 'GRAFT_NOT_FINITE'])

/** A round is not lost for want of a control: what cannot be averaged is reported as not measured. */
async function averageOf(input: FusionInput): Promise<Weights | null> {
  try {
    return (await fuseParents(fedavg, input)).weights
  } catch (error) {
    if (!(error instanceof GraftError) || !UNAVERAGED.has(error.code)) throw error
    return null
  }
}

async function askAll({ model, parents, proxy, test }: ControlsInput): Promise<Opinions> {
  const [heldOut, onTest] = await askParents(model, parents, [proxy.heldOut, test])
  return { heldOut: heldOut!, test: onTest! }
}
