import type { NamedTensor } from './weights.ts'

/** The tensors of one layer in a state dict. */
export interface TorchGroup<T> {
  /** The layer's name. */
  readonly prefix: string
  /** By what follows the name and a dot; the empty string for a parameter without a suffix. */
  readonly tensors: ReadonlyMap<string, T>
}

const SUFFIXES: ReadonlySet<string> = new Set([
  ...['weight', 'bias', 'running_mean', 'running_var', 'in_proj_weight', 'in_proj_bias'],
])

/** Puts the tensors of a file together by layer, in order of their first appearance. */
export function groupTorchTensors(tensors: readonly NamedTensor[]): TorchGroup<NamedTensor>[] {
  const names = new Set(tensors.map(({ name }) => name))
  const groups = new Map<string, Map<string, NamedTensor>>()
  for (const tensor of tensors) {
    const [prefix, suffix] = splitName(tensor.name, names)
    const group = groups.get(prefix) ?? new Map<string, NamedTensor>()
    groups.set(prefix, group.set(suffix, tensor))
  }
  return [...groups].map(([prefix, group]) => ({ prefix, tensors: group }))
}

/** What kind of layer has tensors of these names and shapes. */
export function kindOfGroup({
  tensors,
}: TorchGroup<{ readonly shape: readonly number[] }>): string {
  if (tensors.has('running_mean')) return 'batch normalisations'
  if (tensors.has('in_proj_weight')) return 'attention layers'
  switch (tensors.get('weight')?.shape.length ?? 0) {
    case 4:
      return 'convolutions'
    case 2:
      return 'dense layers'
    case 1:
      return 'layer normalisations'
    default:
      return 'other parameters'
  }
}

/** As names sort by natural order: `net.9` before `net.10`. */
export function naturalOrder<T>(groups: readonly TorchGroup<T>[]): TorchGroup<T>[] {
  const { compare } = new Intl.Collator('en', { numeric: true })
  return groups.toSorted((a, b) => compare(a.prefix, b.prefix))
}

/** Whether the order of the groups is that of their names, character by character. */
export function isSorted<T>(groups: readonly TorchGroup<T>[]): boolean {
  // With the dot that follows it, as whole names were sorted.
  return groups.every(({ prefix }, i) => i === 0 || `${groups[i - 1]!.prefix}.` < `${prefix}.`)
}

function splitName(name: string, names: ReadonlySet<string>): [prefix: string, suffix: string] {
  const [prefix, last] = splitLast(name)
  if (!SUFFIXES.has(last)) return [name, '']
  // The output projection is a module of its own inside of torch.nn.MultiheadAttention.
  const [attention, module] = splitLast(prefix)
  const isProjection = module === 'out_proj' && names.has(join(attention, 'in_proj_weight'))
  return isProjection ? [attention, `${module}.${last}`] : [prefix, last]
}

function splitLast(name: string): [before: string, last: string] {
  const dot = name.lastIndexOf('.')
  return dot < 0 ? ['', name] : [name.slice(0, dot), name.slice(dot + 1)]
}

const join = (prefix: string, name: string) => (prefix === '' ? name : `${prefix}.${name}`)
