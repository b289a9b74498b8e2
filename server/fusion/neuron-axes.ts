import { GraftError } from '../../shared/errors.ts'
import type { Level, Member } from '../../shared/model/levels.ts'
import type { NamedTensor, Weights } from '../../shared/model/weights.ts'

/** An axis of a weight that indexes the neurons of a level: index = repeat * width + neuron. */
export interface NeuronAxis {
  readonly level: Level
  readonly role: Member['role']
  readonly axis: number
  readonly repeats: number
}

/** The neuron axes of every weight, by its name: a hidden kernel has two, a bias one. */
export function neuronAxesOf(levels: readonly Level[]): ReadonlyMap<string, readonly NeuronAxis[]> {
  const axes = new Map<string, NeuronAxis[]>()
  for (const level of levels) {
    for (const { weight, role, axis, repeats } of level.members) {
      axes.set(weight, [...(axes.get(weight) ?? []), { level, role, axis, repeats }])
    }
  }
  return axes
}

/**
 * Measures the levels of one network, which may be wider or narrower than `levels` in its hidden ones.
 *
 * @param id whose weights they are, for the message
 * @returns width of each level, [level]
 * @throws GraftError GRAFT_SHAPE_MISMATCH when a weight is missing or unknown, when the weights of a
 *   level disagree about its width, or when the network has another number of classes
 */
export function measureWidths(weights: Weights, levels: readonly Level[], id: string): number[] {
  const byName = new Map(weights.map((tensor) => [tensor.name, tensor]))
  const axes = neuronAxesOf(levels)
  const unknown = weights.find((tensor) => !axes.has(tensor.name))
  if (unknown !== undefined) throw mismatch(id, `has a weight ${unknown.name} that no level has`)
  return levels.map((level) => {
    const lengths = level.members.map((member) => axisLength(byName, member, id) / member.repeats)
    const width = lengths[0]!
    const odd = lengths.findIndex((length) => length !== width)
    if (odd !== -1) {
      const { weight } = level.members[odd]!
      throw mismatch(id, `has ${width} neurons in ${level.layer} but ${lengths[odd]!} in ${weight}`)
    }
    if (level.isHead && width !== level.width) {
      throw mismatch(id, `has ${width} classes, the fused network ${level.width}`)
    }
    return width
  })
}

function axisLength(byName: ReadonlyMap<string, NamedTensor>, member: Member, id: string): number {
  const shape = byName.get(member.weight)?.shape
  if (shape === undefined) throw mismatch(id, `lacks the weight ${member.weight}`)
  const length = shape[member.axis]
  if (length === undefined) throw mismatch(id, `has ${member.weight} of shape [${shape.join(',')}]`)
  return length
}

function mismatch(id: string, problem: string): GraftError {
  return new GraftError('GRAFT_SHAPE_MISMATCH', `Parent ${id} ${problem}.`)
}
