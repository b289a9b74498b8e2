import { GraftError } from '../errors.ts'
import { groupsIn, type AxisLayout, type NeuronAxis } from './neurons.ts'

/** A group of neurons while it is followed through a network. */
interface TracedGroup {
  /** The first layer that makes its neurons. */
  readonly layer: string
  /** When that layer came: an index into all groups. */
  readonly since: number
  readonly width: number
}

/** What {@link createTrace} has gathered, its groups numbered by their first appearance. */
export interface Traced {
  readonly groups: readonly TracedGroup[]
  /** Groups that must stay as they are, as they are tied to positions that nobody may move. */
  readonly fixed: ReadonlySet<number>
  readonly axes: readonly NeuronAxis[]
  /** Brings a layout that an op returned into the final numbering. */
  readonly settle: (layout: AxisLayout) => AxisLayout
}

/** Gathers groups of neurons while ops are followed in order. */
export interface NeuronTrace {
  /** Neurons that begin to exist here. */
  addGroup(layer: string, width: number): AxisLayout
  /** Says that positions along an axis of a weight belong to neurons. */
  addAxis(axis: NeuronAxis): void
  /**
   * Says that two layouts are one, as at an addition: their neurons must be kept, permuted or pruned
   * together. Groups are split where the boundaries of the two differ, and fixed where one would have to
   * be split inside of a neuron.
   *
   * @param layer for the message
   * @throws GraftError GRAFT_LAYER_UNSUPPORTED when the two differ in length
   */
  unify(a: AxisLayout, b: AxisLayout, layer: string): AxisLayout
  /** Says that these neurons must stay where they are. */
  fix(layout: AxisLayout): void
}

/** A run of equal kind on an axis laid out flat. */
type Segment =
  | { readonly kind: 'neurons'; readonly group: number; readonly each: number }
  | { readonly kind: 'fixed'; readonly length: number }

/** @returns a trace, and what it has gathered when all ops have been followed */
export function createTrace(): NeuronTrace & { finish(): Traced } {
  const groups: TracedGroup[] = []
  const axes: NeuronAxis[] = []
  const fixed = new Set<number>()
  /** What has become of a group that was split or found to be another one. */
  const became = new Map<number, AxisLayout>()

  const widthOf = (segment: Segment): number =>
    segment.kind === 'fixed' ? segment.length : groups[segment.group]!.width * segment.each

  function addGroup(layer: string, width: number): AxisLayout {
    groups.push({ layer, since: groups.length, width })
    return { kind: 'neurons', group: groups.length - 1, each: 1 }
  }

  function fix(layout: AxisLayout): void {
    for (const group of groupsIn(resolve(layout))) fixed.add(group)
  }

  /** Replaces groups by what they have become, all the way down. */
  function resolve(layout: AxisLayout): AxisLayout {
    switch (layout.kind) {
      case 'neurons': {
        const now = became.get(layout.group)
        return now === undefined ? layout : stretch(resolve(now), layout.each)
      }
      case 'fixed':
        return layout
      case 'repeat':
        return repeat(resolve(layout.of), layout.times)
      case 'concat':
        return concatOf(layout.parts.map(resolve))
    }
  }

  function unify(a: AxisLayout, b: AxisLayout, layer: string): AxisLayout {
    const [left, right] = [resolve(a), resolve(b)]
    if (left.kind === 'repeat' && right.kind === 'repeat' && left.times === right.times) {
      return { ...left, of: unify(left.of, right.of, layer) }
    }
    const [first, second] = [segmentsOf(left), segmentsOf(right)]
    while (first.length > 0 && second.length > 0) {
      const [one, other] = [first[0]!, second[0]!]
      const [length, otherLength] = [widthOf(one), widthOf(other)]
      const known = became.size
      // The wider one is cut where the narrower one ends; what is cut is looked at again.
      if (length < otherLength) second.splice(0, 1, ...cut(other, length))
      else if (length > otherLength) first.splice(0, 1, ...cut(one, otherLength))
      else {
        join(one, other)
        first.shift()
        second.shift()
      }
      if (became.size > known) {
        refresh(first)
        refresh(second)
      }
    }
    if (first.length + second.length > 0) {
      throw unsupported(layer, 'brings together neurons of different numbers')
    }
    return resolve(a)
  }

  /** Looks at the groups of the segments again, as a cut or a joining may have changed them. */
  function refresh(queue: Segment[]): void {
    queue.splice(0, queue.length, ...queue.flatMap((segment) => segmentsOf(resolve(segment))))
  }

  function cut(segment: Segment, length: number): Segment[] {
    if (segment.kind === 'fixed') {
      return [
        { kind: 'fixed', length },
        { kind: 'fixed', length: segment.length - length },
      ]
    }
    const { group, each } = segment
    const { width, ...made } = groups[group]!
    if (length % each !== 0) {
      // A neuron cannot be cut: its positions must stay, as must all that is tied to them.
      fixed.add(group)
      return cut({ kind: 'fixed', length: width * each }, length)
    }
    const parts = [length / each, width - length / each].map((part) => {
      groups.push({ ...made, width: part })
      return { kind: 'neurons', group: groups.length - 1, each: 1 } as const
    })
    became.set(group, { kind: 'concat', parts })
    if (fixed.has(group)) parts.forEach(fix)
    return parts.map((part) => ({ ...part, each }))
  }

  function join(a: Segment, b: Segment): void {
    if (a.kind === 'fixed' || b.kind === 'fixed') {
      for (const segment of [a, b]) if (segment.kind === 'neurons') fixed.add(segment.group)
      return
    }
    if (a.group === b.group) return
    // Of neurons of several positions the larger ones stay: the others are moved in bunches.
    const [kept, gone] =
      a.each > b.each || (a.each === b.each && a.group < b.group) ? [a, b] : [b, a]
    if (kept.each % gone.each !== 0) {
      fixed.add(kept.group).add(gone.group)
      return
    }
    const [one, other] = [groups[kept.group]!, groups[gone.group]!]
    const { layer, since } = one.since < other.since ? one : other
    groups[kept.group] = { ...one, layer, since }
    became.set(gone.group, { kind: 'neurons', group: kept.group, each: kept.each / gone.each })
    if (fixed.has(gone.group)) fixed.add(kept.group)
  }

  return {
    addGroup,
    addAxis: (axis) => void axes.push(axis),
    unify,
    fix,
    finish() {
      const resolved = axes.map((axis) => ({ ...axis, layout: resolve(axis.layout) }))
      // Numbered in the order in which weights make them: a group that was cut appears as its parts.
      const made = resolved.filter(({ role }) => role !== 'reader')
      const order = new Map<number, number>()
      for (const group of made.flatMap(({ layout }) => groupsIn(layout))) {
        if (!order.has(group)) order.set(group, order.size)
      }
      const lost = groups.findIndex((_, group) => !became.has(group) && !order.has(group))
      if (lost !== -1) throw unsupported(groups[lost]!.layer, 'has neurons that no weight makes')
      const settle = (layout: AxisLayout) => renumber(resolve(layout), order)
      return {
        groups: [...order.keys()].map((group) => groups[group]!),
        fixed: new Set([...fixed].flatMap((group) => order.get(group) ?? [])),
        axes: resolved.map((axis) => ({ ...axis, layout: renumber(axis.layout, order) })),
        settle,
      }
    },
  }
}

/** Laid out flat: each place of a flattened map has the same neurons once more. */
function segmentsOf(layout: AxisLayout): Segment[] {
  switch (layout.kind) {
    case 'neurons':
    case 'fixed':
      return [layout]
    case 'repeat':
      return Array.from({ length: layout.times }, () => segmentsOf(layout.of)).flat()
    case 'concat':
      return layout.parts.flatMap(segmentsOf)
  }
}

/** A layout each of whose positions becomes `each` positions, one behind the other. */
export function stretch(layout: AxisLayout, each: number): AxisLayout {
  switch (layout.kind) {
    case 'neurons':
      return { ...layout, each: layout.each * each }
    case 'fixed':
      return { ...layout, length: layout.length * each }
    case 'repeat':
      return { ...layout, of: stretch(layout.of, each) }
    case 'concat':
      return { ...layout, parts: layout.parts.map((part) => stretch(part, each)) }
  }
}

/** A layout `times` times, one behind the other, as a flattened map has its channels. */
export function repeat(layout: AxisLayout, times: number): AxisLayout {
  if (times === 1) return layout
  return layout.kind === 'repeat'
    ? { ...layout, times: layout.times * times }
    : { kind: 'repeat', times, of: layout }
}

/** One layout behind the other, without concatenations inside of concatenations. */
export function concatOf(parts: readonly AxisLayout[]): AxisLayout {
  const flat = parts.flatMap((part) => (part.kind === 'concat' ? part.parts : [part]))
  return flat.length === 1 ? flat[0]! : { kind: 'concat', parts: flat }
}

function renumber(layout: AxisLayout, order: ReadonlyMap<number, number>): AxisLayout {
  switch (layout.kind) {
    case 'neurons':
      return { ...layout, group: order.get(layout.group)! }
    case 'fixed':
      return layout
    case 'repeat':
      return { ...layout, of: renumber(layout.of, order) }
    case 'concat':
      return { ...layout, parts: layout.parts.map((part) => renumber(part, order)) }
  }
}

function unsupported(layer: string, why: string): GraftError {
  return new GraftError('GRAFT_LAYER_UNSUPPORTED', `Layer ${layer} ${why}.`)
}
