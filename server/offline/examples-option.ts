import { drawBalanced } from '../../shared/data/draw.ts'
import type { DatasetSpec, Normalisation } from '../../shared/data/dataset-spec.ts'
import { findDataset, loadDataset } from '../../shared/data/datasets.ts'
import type { ExampleSet } from '../../shared/data/example-set.ts'
import type { OwnDataset } from '../../shared/data/own/own-data.ts'
import { renormalise } from '../../shared/data/renormalise.ts'
import { subset } from '../../shared/data/subset.ts'
import { GraftError } from '../../shared/errors.ts'
import type { DataShape } from '../../shared/model/architecture.ts'
import { sizeOf } from '../../shared/model/weights.ts'
import type { Rng } from '../../shared/numeric/rng.ts'

/** Where proxy examples come from. */
export interface ProxyOption {
  readonly dataset: string
  /** Examples to draw, > 0. */
  readonly count: number
}

/**
 * Understands `--proxy`: `NAME:COUNT`, or `none`; beside `--data` just `COUNT`, as there is no other name.
 *
 * @param own name of the data that `--data` gives; null without
 * @throws GraftError GRAFT_OPTION_INVALID, GRAFT_DATASET_UNKNOWN
 */
export function parseProxy(text: string, own: string | null = null): ProxyOption | null {
  if (text === 'none') return null
  if (own !== null) {
    if (!/^[1-9]\d{0,8}$/.test(text)) {
      throw invalid(
        `--proxy "${text}" is not allowed: with --data write COUNT alone, as in 400, or none.`,
      )
    }
    return { dataset: own, count: Number(text) }
  }
  const [dataset = '', written = '', ...rest] = text.split(':')
  findDataset(dataset)
  if (!/^\d{1,9}$/.test(written) || rest.length > 0) {
    throw invalid(`--proxy "${text}" is not allowed: write NAME:COUNT, as in mnist:400, or none.`)
  }
  const count = Number(written)
  if (count === 0) throw invalid(`--proxy ${text} is an empty proxy set: draw one example or more.`)
  return { dataset, count }
}

/**
 * Understands `--normalize`: a mean and a deviation for all channels, or a mean of each channel, then a
 * deviation of each.
 * @throws GraftError GRAFT_OPTION_INVALID
 */
export function parseNormalisation(text: string): Normalisation {
  const numbers = text.split(',').map((word) => (word.trim() === '' ? NaN : Number(word)))
  const half = numbers.length / 2
  const [mean, std] = [numbers.slice(0, half), numbers.slice(half)]
  const isAllowed =
    Number.isInteger(half) &&
    numbers.every((number) => Number.isFinite(number)) &&
    std.every((deviation) => deviation > 0)
  if (isAllowed) return { mean, std }
  throw invalid(
    `--normalize "${text}" is not allowed: write MEAN,STD with STD above 0, or the means of all channels and then their deviations.`,
  )
}

/** A data set as a network reads it. */
export interface FittedDataset {
  readonly train: ExampleSet
  readonly test: ExampleSet
}

/** Examples by the name of their data set, or of the user's own. */
export type ExampleSource = string | OwnDataset

/** What is known of examples before they are loaded. */
export type SourceFacts = Pick<DatasetSpec, 'inputShape' | 'numClasses' | 'normalisation'> & {
  readonly name: string
}

/** @throws GraftError GRAFT_DATASET_UNKNOWN */
export function factsOf(source: ExampleSource): SourceFacts {
  if (typeof source === 'string') return { ...findDataset(source), name: source }
  const { name, normalisation, train } = source
  return { name, normalisation, inputShape: train.inputShape, numClasses: train.numClasses }
}

/**
 * Loads a data set for a network.
 *
 * @param shape what the network reads and tells apart
 * @param normalisation to use in place of the data set's own
 * @throws GraftError GRAFT_SHAPE_MISMATCH when its images or classes are not those of the network, and what
 *   `loadDataset` throws
 */
export async function loadFitted(
  source: ExampleSource,
  shape: DataShape,
  normalisation: Normalisation | undefined,
  signal?: AbortSignal,
): Promise<FittedDataset> {
  const { name, ...spec } = factsOf(source)
  if (sizeOf(spec.inputShape) !== sizeOf(shape.inputShape) || !sameChannels(spec, shape)) {
    throw new GraftError(
      'GRAFT_SHAPE_MISMATCH',
      `The network reads inputs of shape [${shape.inputShape}], and those of ${name} are [${spec.inputShape}].`,
    )
  }
  if (spec.numClasses !== shape.numClasses) {
    throw new GraftError(
      'GRAFT_SHAPE_MISMATCH',
      `The network tells ${shape.numClasses} classes apart, and ${name} has ${spec.numClasses}.`,
    )
  }
  const to = normalisation && perChannel(normalisation, spec.inputShape.at(-1)!, name)
  const { train, test } =
    typeof source === 'string' ? await loadDataset(source, signal && { signal }) : source
  const fitted = (set: ExampleSet): ExampleSet => ({
    ...(to === undefined ? set : renormalise(set, spec.normalisation, to)),
    inputShape: shape.inputShape,
  })
  return { train: fitted(train), test: fitted(test) }
}

/**
 * Draws a proxy set from the training split, balanced by class.
 * @throws GraftError GRAFT_OPTION_INVALID when there are not that many
 */
export function drawProxy(
  train: ExampleSet,
  { dataset, count }: ProxyOption,
  rng: Rng,
): ExampleSet {
  const { labels, numClasses } = train
  if (count > labels.length) {
    throw invalid(`--proxy ${dataset}:${count} asks for more than its ${labels.length} examples.`)
  }
  return subset(train, drawBalanced({ labels, numClasses, count, rng }))
}

/** A network may read an image flat, as one axis; otherwise the axes must be the same. */
function sameChannels(data: Pick<DataShape, 'inputShape'>, network: DataShape): boolean {
  const isFlat = network.inputShape.length === 1
  return isFlat || String(data.inputShape) === String(network.inputShape)
}

function perChannel({ mean, std }: Normalisation, channels: number, name: string): Normalisation {
  if (mean.length === channels) return { mean, std }
  if (mean.length !== 1) {
    throw invalid(
      `--normalize has ${mean.length} means, and images of ${name} ${channels} channels.`,
    )
  }
  const [m, s] = [mean[0]!, std[0]!]
  return { mean: Array<number>(channels).fill(m), std: Array<number>(channels).fill(s) }
}

function invalid(problem: string): GraftError {
  return new GraftError('GRAFT_OPTION_INVALID', problem)
}
