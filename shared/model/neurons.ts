/**
 * Which neurons the positions along an axis belong to, width-free: the same layout holds for networks of
 * other widths. The neurons of a group are laid out in order.
 */
export type AxisLayout =
  /** Each neuron of the group has `each` positions, one behind the other: width * each in all. */
  | { readonly kind: 'neurons'; readonly group: number; readonly each: number }
  /** Positions that no method may move, such as the channels of an input image. */
  | { readonly kind: 'fixed'; readonly length: number }
  /** The same layout again and again, as a flattened feature map has its channels at each place. */
  | { readonly kind: 'repeat'; readonly times: number; readonly of: AxisLayout }
  /** Layouts one behind the other. */
  | { readonly kind: 'concat'; readonly parts: readonly AxisLayout[] }

/**
 * What a weight is to the neurons along one of its axes. `kernel`: makes them; `bias`: is added to them;
 * `gamma`, `beta`, `movingMean`, `movingVariance`: normalise them; `embedding`: makes them without reading
 * other neurons; `reader`: the next kernel, whose input axis reads them.
 */
export type Role =
  'kernel' | 'bias' | 'gamma' | 'beta' | 'movingMean' | 'movingVariance' | 'embedding' | 'reader'

/** An axis of a weight whose positions belong to neurons. */
export interface NeuronAxis {
  /** Name of the weight, as in {@link import('./weights.ts').NamedTensor}. */
  readonly weight: string
  readonly axis: number
  readonly role: Role
  readonly layout: AxisLayout
}

/** Neurons by group, for each position of an axis; -1 where the position is fixed. */
export interface AxisPositions {
  /** [position] */
  readonly group: Int32Array
  /** [position]; index within the group, or within the fixed part. */
  readonly neuron: Int32Array
}

/**
 * Lays an axis out for networks of these widths.
 * @param widths neurons of each group, [group]
 */
export function positionsOf(layout: AxisLayout, widths: readonly number[]): AxisPositions {
  const length = lengthOf(layout, widths)
  const positions = { group: new Int32Array(length), neuron: new Int32Array(length) }
  fill(layout, 0)
  return positions

  function fill(part: AxisLayout, from: number): number {
    switch (part.kind) {
      case 'neurons': {
        const end = from + widths[part.group]! * part.each
        for (let at = from; at < end; at++) {
          positions.group[at] = part.group
          positions.neuron[at] = Math.floor((at - from) / part.each)
        }
        return end
      }
      case 'fixed':
        for (let i = 0; i < part.length; i++) {
          positions.group[from + i] = -1
          positions.neuron[from + i] = i
        }
        return from + part.length
      case 'repeat': {
        let end = from
        for (let i = 0; i < part.times; i++) end = fill(part.of, end)
        return end
      }
      case 'concat':
        return part.parts.reduce((end, next) => fill(next, end), from)
    }
  }
}

/** Positions on an axis of this layout, in networks of these widths. */
export function lengthOf(layout: AxisLayout, widths: readonly number[]): number {
  switch (layout.kind) {
    case 'neurons':
      return widths[layout.group]! * layout.each
    case 'fixed':
      return layout.length
    case 'repeat':
      return layout.times * lengthOf(layout.of, widths)
    case 'concat':
      return layout.parts.reduce((sum, part) => sum + lengthOf(part, widths), 0)
  }
}

/** The groups on an axis, each once, in order of appearance. */
export function groupsIn(layout: AxisLayout): number[] {
  switch (layout.kind) {
    case 'neurons':
      return [layout.group]
    case 'fixed':
      return []
    case 'repeat':
      return groupsIn(layout.of)
    case 'concat':
      return [...new Set(layout.parts.flatMap(groupsIn))]
  }
}
