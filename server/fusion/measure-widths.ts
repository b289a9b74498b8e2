import { GraftError } from '../../shared/errors.ts'
import { type NeuronGraph, shapesWith, widthsOf } from '../../shared/model/neuron-graph.ts'
import type { AxisLayout } from '../../shared/model/neurons.ts'
import type { NamedShape } from '../../shared/model/weights.ts'

/**
 * Measures the groups of one network, which may be wider or narrower than those of the graph.
 *
 * @param id whose weights they are, for the message
 * @returns width of each group, [group]
 * @throws GraftError GRAFT_SHAPE_MISMATCH when a weight is missing or unknown, when the weights of a
 *   group disagree about its width, or when neurons that are fixed, as the classes are, differ in number
 */
export function measureWidths(
  weights: readonly NamedShape[],
  graph: NeuronGraph,
  id: string,
): number[] {
  const shapes = new Map(weights.map(({ name, shape }) => [name, shape]))
  const unknown = weights.find(({ name }) => !graph.weights.some((known) => known.name === name))
  if (unknown !== undefined) throw mismatch(id, `has a weight ${unknown.name} that no layer has`)
  const widths = graph.groups.map(({ isFixed, width }) => (isFixed ? width : undefined))
  // An axis of one unknown group tells its width; that may leave one unknown on another axis.
  for (let open = widths.filter((width) => width === undefined).length; open > 0;) {
    for (const axis of [...graph.axes.values()].flat()) {
      const length = shapes.get(axis.weight)?.[axis.axis]
      if (length !== undefined) solve(axis.layout, length, widths)
    }
    const left = widths.filter((width) => width === undefined).length
    if (left === open) {
      // Groups that only ever lie side by side: as in the graph, or not at all.
      widths.forEach((width, group) => (widths[group] = width ?? graph.groups[group]!.width))
      break
    }
    open = left
  }
  const measured = widths as number[]
  for (const { name, shape } of shapesWith(graph, measured)) {
    const given = shapes.get(name)
    if (given === undefined) throw mismatch(id, `lacks the weight ${name}`)
    if (String(given) !== String(shape)) {
      throw mismatch(
        id,
        `has ${name} [${given}], which does not go with ${describe(graph, measured)}`,
      )
    }
  }
  return measured
}

/** @throws GraftError GRAFT_SHAPE_MISMATCH unless the widths are those of the graph */
export function assertSameWidths(widths: readonly number[], graph: NeuronGraph, id: string): void {
  const odd = widthsOf(graph).findIndex((width, group) => width !== widths[group])
  if (odd === -1) return
  const { name, width } = graph.groups[odd]!
  throw mismatch(id, `has ${widths[odd]!} neurons in ${name}, the fused network ${width}`)
}

/** Finds the one unknown width on an axis, where there is just one. */
function solve(layout: AxisLayout, length: number, widths: (number | undefined)[]): void {
  const terms = new Map<number, number>()
  let known = 0
  function add(part: AxisLayout, times: number): void {
    switch (part.kind) {
      case 'neurons': {
        const width = widths[part.group]
        if (width !== undefined) known += times * width * part.each
        else terms.set(part.group, (terms.get(part.group) ?? 0) + times * part.each)
        return
      }
      case 'fixed':
        known += times * part.length
        return
      case 'repeat':
        add(part.of, times * part.times)
        return
      case 'concat':
        for (const each of part.parts) add(each, times)
    }
  }
  add(layout, 1)
  const [unknown, ...others] = terms
  if (unknown === undefined || others.length > 0) return
  const [group, positions] = unknown
  widths[group] = Math.max(0, Math.floor((length - known) / positions))
}

function describe({ groups }: NeuronGraph, widths: readonly number[]): string {
  return groups.map(({ name }, group) => `${name} of ${widths[group]!}`).join(', ')
}

function mismatch(id: string, problem: string): GraftError {
  return new GraftError('GRAFT_SHAPE_MISMATCH', `Parent ${id} ${problem}.`)
}
