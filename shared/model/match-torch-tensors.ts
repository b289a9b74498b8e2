import { GraftError } from '../errors.ts'
import {
  groupTorchTensors,
  isSorted,
  kindOfGroup,
  naturalOrder,
  type TorchGroup,
} from './torch-groups.ts'
import { torchName, type TorchTensor } from './torch-tensors.ts'
import { assertSameShapes, type NamedTensor } from './weights.ts'

type Given = TorchGroup<NamedTensor>
type Wanted = TorchGroup<TorchTensor>

/**
 * Finds a network's tensors in a file. When the file has names of its own, its convolutions are taken for
 * the network's convolutions, its dense layers for dense layers, and so on for each kind of layer: in the
 * order of the file, or in the natural order of the names (`net.9` before `net.10`), whichever fits by
 * shape. A file sorted by name, as the safetensors library sorts them, has no order of its own.
 *
 * @param tensors in the order of the file
 * @param wanted in the order of a state dict
 * @param network its name, for messages
 * @returns one tensor for each wanted one; borrowed
 * @throws GraftError GRAFT_SHAPE_MISMATCH when they are not those of the network, or fit in two ways
 */
export function matchTorchTensors(
  tensors: readonly NamedTensor[],
  wanted: readonly TorchTensor[],
  network: string,
): NamedTensor[] {
  if (tensors.length !== wanted.length) {
    throw mismatch(`The file has ${tensors.length} tensors, ${network} has ${wanted.length}.`)
  }
  const groups = groupTorchTensors(tensors)
  const layers = layersOf(wanted)
  const byName = new Map(groups.map((group) => [group.prefix, group]))
  if (layers.every(({ prefix }) => byName.has(prefix))) {
    return take(
      layers.map(({ prefix }) => byName.get(prefix)!),
      layers,
    )
  }
  assertSameKinds(groups, layers, network)
  const orders = isSorted(groups) ? [naturalOrder(groups)] : [groups, naturalOrder(groups)]
  const matches = orders.map((order) => inOrder(order, layers))
  const [match, other = match] = matches.filter((groups) => fits(groups, layers))
  // Nothing fits: taking it all the same says what does not.
  if (match === undefined || other === undefined) return take(matches.at(-1)!, layers)
  const at = match.findIndex((group, i) => group !== other[i])
  if (at >= 0) {
    throw mismatch(
      `The file fits ${network} in two orders: as ${layers[at]!.prefix} it has ${match[at]!.prefix} by place and ${other[at]!.prefix} by name. Name its layers as ${network} does.`,
    )
  }
  return take(match, layers)
}

function layersOf(wanted: readonly TorchTensor[]): Wanted[] {
  const layers = new Map<string, Map<string, TorchTensor>>()
  for (const tensor of wanted) {
    const layer = layers.get(tensor.layer) ?? new Map<string, TorchTensor>()
    layers.set(tensor.layer, layer.set(tensor.suffix, tensor))
  }
  return [...layers].map(([prefix, tensors]) => ({ prefix, tensors }))
}

function assertSameKinds(
  groups: readonly Given[],
  layers: readonly Wanted[],
  network: string,
): void {
  for (const kind of new Set([...layers, ...groups].map(kindOfGroup))) {
    const [given, wanted] = [groups, layers].map(
      (list) => list.filter((group) => kindOfGroup(group) === kind).length,
    )
    if (given !== wanted) {
      throw mismatch(`The file has ${given ?? 0} ${kind}, ${network} has ${wanted ?? 0}.`)
    }
  }
}

/** For each layer the next group of its kind. */
function inOrder(groups: readonly Given[], layers: readonly Wanted[]): Given[] {
  const left = [...groups]
  return layers.map((layer) => {
    const next = left.findIndex((group) => kindOfGroup(group) === kindOfGroup(layer))
    return left.splice(next, 1)[0]!
  })
}

function fits(groups: readonly Given[], layers: readonly Wanted[]): boolean {
  return layers.every(({ tensors }, i) =>
    [...tensors.values()].every(({ suffix, shape }) => {
      const given = groups[i]!.tensors.get(suffix)
      return given !== undefined && String(shapeOf(given, suffix)) === String(shape)
    }),
  )
}

function take(groups: readonly Given[], layers: readonly Wanted[]): NamedTensor[] {
  return layers.flatMap(({ tensors }, i) =>
    [...tensors.values()].map(({ suffix, shape }) => {
      const { prefix, tensors: given } = groups[i]!
      const tensor = given.get(suffix)
      assertSameShapes(
        tensor === undefined ? [] : [{ name: tensor.name, shape: shapeOf(tensor, suffix) }],
        [{ name: torchName({ layer: prefix, suffix }), shape }],
      )
      return tensor!
    }),
  )
}

/** Positions may come without the axis of length 1 that they are broadcast along. */
function shapeOf({ shape }: NamedTensor, suffix: string): readonly number[] {
  return suffix === '' && shape.length === 2 ? [1, ...shape] : shape
}

function mismatch(problem: string): GraftError {
  return new GraftError('GRAFT_SHAPE_MISMATCH', problem)
}
