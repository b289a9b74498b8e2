import type { ScorerName } from '../../shared/attribution/scorer-names.ts'
import type { Normalisation } from '../../shared/data/dataset-spec.ts'
import type { OwnDataset } from '../../shared/data/own/own-data.ts'
import type { EngineName } from '../../shared/engine/engine.ts'
import { GraftError } from '../../shared/errors.ts'
import type { DataShape } from '../../shared/model/architecture.ts'
import type { DiversityReport } from '../../shared/protocol/diversity-report.ts'
import type { TuneSettings } from '../../shared/protocol/run-settings.ts'
import type { ParsedStrategy } from '../fusion/strategies.ts'
import { specOf } from '../fusion/strategy-options.ts'
import { factsOf, type ProxyOption } from './examples-option.ts'
import type { Layout } from '../../shared/model/layouts.ts'
import { type ModelPlan, planModel, withWidth } from './model-plan.ts'
import type { ParentFile } from './parent-files.ts'
import type { FusePhase } from './phase-clock.ts'

/** What `graft fuse` is told, understood. */
export interface FuseFilesInput {
  /** Safetensors files or TensorFlow.js folders. */
  readonly files: readonly string[]
  /** With its options, as in `kf-linear:head=mean`. */
  readonly method: string
  /** Spec or folder; what the files say when not given. */
  readonly model: string | undefined
  /** The fused network, where its widths are others: a spec, or one width for all. */
  readonly target: string | number | undefined
  readonly layout: Layout | undefined
  readonly scores: ScorerName
  /** Examples of the user's own, which the proxy set is drawn from and which judge. */
  readonly ownData: OwnDataset | null
  readonly proxy: ProxyOption | null
  /** Data set that judges, or the name of `ownData`; undefined: nothing is judged. */
  readonly test: string | undefined
  readonly normalisation: Normalisation | undefined
  /** Nothing is tuned with the mode `none` or without epochs. */
  readonly tune: TuneSettings
  readonly out: string | undefined
  readonly seed: number
  /** The one that runs. */
  readonly engine: EngineName
  readonly onProgress?: (phase: FusePhase) => void
  /** Called before the parents are fused, when there are two or more. */
  readonly onDiversity?: (diversity: DiversityReport) => void
  readonly signal?: AbortSignal
}

const DEFAULT_OUT = 'fused.safetensors'

/**
 * Where the result goes; null for a method that makes none.
 * @throws GraftError GRAFT_OPTION_INVALID
 */
export function outOf({ out, test }: FuseFilesInput, { strategy }: ParsedStrategy): string | null {
  if (strategy.isComparison !== true) return out ?? DEFAULT_OUT
  if (out !== undefined) {
    throw invalid(`--method ${strategy.name} makes no network that --out ${out} could hold.`)
  }
  if (test === undefined)
    throw invalid(`--method ${strategy.name} only measures: give --test NAME or --data PATH.`)
  return null
}

/** @throws GraftError GRAFT_OPTION_INVALID when there is to be tuning without examples */
export function assertCanTune({ proxy, tune }: FuseFilesInput): void {
  if (proxy === null && tune.mode !== 'none' && tune.epochs > 0) {
    throw invalid(
      '--fine-tune-epochs needs examples to tune on: give --proxy NAME:COUNT, or --data PATH --proxy COUNT.',
    )
  }
}

/** What the network is for, if the options say. */
export function dataOf({ ownData, test, proxy }: FuseFilesInput): DataShape | undefined {
  const source = ownData ?? test ?? proxy?.dataset
  return source === undefined ? undefined : factsOf(source)
}

/**
 * The architecture of the parents: the one given, or what the files say.
 * @throws GraftError GRAFT_ARCHITECTURE_INVALID; GRAFT_OPTION_INVALID when nobody says it
 */
export function planParents(
  spec: string | undefined,
  files: readonly ParentFile[],
  data: DataShape | undefined,
): ModelPlan {
  const said =
    spec ??
    files.find(({ isFolder }) => isFolder)?.file ??
    files.find(({ metadata }) => metadata['architecture'] !== undefined)?.metadata['architecture']
  if (said !== undefined) return planModel(said, data)
  throw invalid('No file says of which architecture it is: give --model, as in mlp:784-512-10.')
}

/** The architecture of the fused network: that of the parents when nothing else is asked for. */
export function planTarget(
  target: string | number | undefined,
  plan: ModelPlan,
  data: DataShape | undefined,
): ModelPlan {
  if (target === undefined) return plan
  return typeof target === 'number' ? withWidth(plan, target) : planModel(target, data)
}

/** As in `nt:variant=merge-prune:tree=hierarchical`: what decided, whatever the defaults become. */
export function methodOf({ strategy, options }: ParsedStrategy): string {
  return specOf(strategy.name, options)
}

function invalid(problem: string): GraftError {
  return new GraftError('GRAFT_OPTION_INVALID', problem)
}
