import { existsSync } from 'node:fs'
import { basename, join, sep } from 'node:path'
import type * as tf from '@tensorflow/tfjs'
import { DATASETS } from '../../shared/data/datasets.ts'
import { GraftError } from '../../shared/errors.ts'
import type { Architecture, DataShape } from '../../shared/model/architecture.ts'
import { parseArchitecture } from '../../shared/model/architectures.ts'
import { buildModel } from '../../shared/model/build-model.ts'
import { MODEL_JSON } from '../../shared/model/layers-model-format.ts'
import { sizeOf } from '../../shared/model/weights.ts'
import type { Rng } from '../../shared/numeric/rng.ts'
import { readLayersModel } from '../../shared/model-files/layers-model-folder.ts'

/** A network that someone named, before it is built. */
export interface ModelPlan {
  /** Canonical spec, or the folder's name. */
  readonly name: string
  /** Null for a topology of the user's own. */
  readonly architecture: Architecture | null
  /** @returns a model the caller owns; its weights are untrained, or the folder's */
  build(rng: Rng): Promise<tf.LayersModel>
}

/** Whether this names a folder in TensorFlow.js's format rather than a file or a spec. */
export function isModelFolder(path: string): boolean {
  return path.endsWith('/') || path.endsWith(sep) || existsSync(join(path, MODEL_JSON))
}

/**
 * Understands `--model`: a spec as in `mlp:784-512-10`, or a folder with a `model.json`.
 *
 * @param data what the network reads and tells apart; from the spec, or usual for it, when not given
 * @throws GraftError GRAFT_ARCHITECTURE_INVALID for another spec, or one that doesn't fit the data
 */
export function planModel(spec: string, data: DataShape = usualData(spec)): ModelPlan {
  if (isModelFolder(spec)) {
    return { name: basename(spec), architecture: null, build: () => readLayersModel(spec) }
  }
  return planOf(parseArchitecture(spec, data))
}

export function planOf(architecture: Architecture): ModelPlan {
  const { name } = architecture
  return { name, architecture, build: async (rng) => buildModel(architecture, rng) }
}

/**
 * The same kind of network with every hidden width replaced, as in `mlp:784-64-64-10` of
 * `mlp:784-512-512-10`.
 *
 * @param width units of every hidden layer of `mlp`; of the others what stands for WIDTH in their spec
 * @throws GraftError GRAFT_OPTION_INVALID for a network that has no width to choose
 */
export function withWidth({ name, architecture }: ModelPlan, width: number): ModelPlan {
  const [kind = '', numbers = ''] = name.split(':')
  const sizes = numbers.split('-')
  switch (architecture === null ? '' : kind) {
    case 'mlp':
      return planOf(
        parseArchitecture(
          `mlp:${sizes.map((size, i) => (i > 0 && i < sizes.length - 1 ? width : size)).join('-')}`,
          architecture!,
        ),
      )
    case 'vgg11':
    case 'vgg11-bn':
    case 'resnet18':
      return planOf(parseArchitecture(`${kind}:${width}`, architecture!))
    case 'vit': {
      const depth = numbers.split('x')[1] ?? '6'
      return planOf(parseArchitecture(`vit:${width}x${depth}`, architecture!))
    }
    default:
      throw new GraftError(
        'GRAFT_OPTION_INVALID',
        `There is no width to choose in ${name}: say which network with --target MODEL.`,
      )
  }
}

/** What a network is usually made for: MNIST for the small ones, CIFAR-10 for the others. */
function usualData(spec: string): DataShape {
  const [kind, numbers] = spec.split(':')
  if (kind === 'mlp' && numbers !== undefined) {
    const sizes = numbers.split('-').map(Number)
    const usual = Object.values(DATASETS).find(
      ({ inputShape, numClasses }) =>
        sizeOf(inputShape) === sizes[0] && numClasses === sizes.at(-1),
    )
    return usual ?? { inputShape: [sizes[0]!], numClasses: sizes.at(-1)! }
  }
  return kind === 'mlp' || kind === 'lenet' ? DATASETS.mnist : DATASETS.cifar10
}
