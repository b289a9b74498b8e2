import { GraftError } from '../../shared/errors.ts'
import type { Architecture } from '../../shared/model/architecture.ts'
import { parseArchitecture } from '../../shared/model/architectures.ts'
import type { Layout } from '../../shared/model/layouts.ts'
import { fromTorch, toTorch } from '../../shared/model/torch-layout.ts'
import type { Weights } from '../../shared/model/weights.ts'
import type { ModelPlan } from './model-plan.ts'
import { naming } from '../../shared/naming.ts'
import type { ParentFile } from './parent-files.ts'

/** The layout asked for, or else the one that the files say they have. */
export function layoutOf(asked: Layout | undefined, parents: readonly ParentFile[]): Layout {
  const said = parents.find(({ metadata }) => metadata['layout'] !== undefined)
  return asked ?? (said?.metadata['layout'] === 'torch' ? 'torch' : 'tf')
}

/** A parent's weights as we have them, and its own architecture where one is known. */
export interface ReadParent {
  readonly weights: Weights
  readonly architecture: Architecture | null
}

/**
 * Brings the tensors of a parent into our layout. Its hidden widths may be others than the model's.
 *
 * @throws GraftError GRAFT_OPTION_INVALID when it is plainly of the other layout; GRAFT_SHAPE_MISMATCH
 *   naming the file
 */
export async function toOurLayout(
  parent: ParentFile,
  layout: Layout,
  { name, architecture }: ModelPlan,
): Promise<ReadParent> {
  const { file, tensors, isFolder } = parent
  if (isFolder) return { weights: tensors, architecture: null }
  assertLooksLike(layout, parent)
  if (layout === 'tf') {
    return { weights: tensors, architecture: architecture && resized(architecture, tensors) }
  }
  if (architecture === null) throw noArchitecture(name)
  return naming(file, () => {
    const own = resized(architecture, tensors)
    return { weights: fromTorch(tensors, own), architecture: own }
  })
}

/** @throws GraftError GRAFT_OPTION_INVALID for PyTorch's layout of a network that Graft has no plan of */
export function toFileLayout(weights: Weights, layout: Layout, plan: ModelPlan): Weights {
  if (layout === 'tf') return weights
  if (plan.architecture === null) throw noArchitecture(plan.name)
  return toTorch(weights, plan.architecture)
}

function assertLooksLike(layout: Layout, { file, tensors }: ParentFile): void {
  const ending = layout === 'tf' ? '.weight' : '.kernel'
  const odd = tensors.find(({ name }) => name.endsWith(ending))
  if (odd === undefined || tensors.some(({ name }) => name.endsWith(ENDINGS[layout]))) return
  const other = layout === 'tf' ? 'torch' : 'tf'
  throw new GraftError(
    'GRAFT_OPTION_INVALID',
    `${file} has ${odd.name}, as files of --layout ${other} have, and was read with --layout ${layout}.`,
  )
}

const ENDINGS = { tf: '.kernel', torch: '.weight' } as const satisfies Record<Layout, string>

/** The architecture with the widths of these tensors, where the first of them or their sizes tell; or as it is. */
function resized(architecture: Architecture, tensors: Weights): Architecture {
  const spec = specOf(architecture, tensors)
  if (spec === undefined) return architecture
  try {
    return parseArchitecture(spec, architecture)
  } catch (error) {
    // No network that there is: reading it as the one it should be says what is wrong.
    if (error instanceof GraftError) return architecture
    throw error
  }
}

function specOf({ name }: Architecture, tensors: Weights): string | undefined {
  const [kind = '', numbers = ''] = name.split(':')
  const firstConvolution = tensors.find(({ shape }) => shape.length === 4)
  if (kind === 'mlp') {
    const biases = tensors.filter(({ shape }) => shape.length === 1)
    const natural = new Intl.Collator('en', { numeric: true })
    const sizes = biases
      .toSorted((a, b) => natural.compare(a.name, b.name))
      .map(({ data }) => data.length)
    const isSameDepth = sizes.length === numbers.split('-').length - 1
    return isSameDepth ? `mlp:${[numbers.split('-')[0], ...sizes].join('-')}` : undefined
  }
  if (firstConvolution === undefined || kind === 'lenet') return undefined
  const isTorch = firstConvolution.name.endsWith('.weight')
  const width = firstConvolution.shape.at(isTorch ? 0 : -1)!
  return kind === 'vit' ? `vit:${width}x${numbers.split('x')[1] ?? '6'}` : `${kind}:${width}`
}

function noArchitecture(name: string): GraftError {
  return new GraftError(
    'GRAFT_OPTION_INVALID',
    `--layout torch is known for the models that Graft builds, not for a topology of your own (${name}).`,
  )
}
