import { describe, expect, it } from 'vitest'
import { magnitudes, type Norm } from '../../../../server/fusion/importance.ts'
import { createGrids } from '../../../../server/fusion/weight-grid.ts'
import { headGroup, type NeuronGraph, widthsOf } from '../../../../shared/model/neuron-graph.ts'
import type { Weights } from '../../../../shared/model/weights.ts'
import { convGraph, denseGraph } from '../../../support/plain-networks.ts'

describe('magnitudes', () => {
  const graph = denseGraph([1, 2, 2])
  const dense = weightsFor(graph, [
    [3, -1],
    [100, 100],
    [1, -2, 0, 4],
    [100, 100],
  ])

  it('should be the mean over kernel and reader of the sums of squares, biases aside', () => {
    expect(firstGroup(graph, dense, 'l2')).toEqual([(9 + 1 + 4) / 2, (1 + 16) / 2])
  })

  it('should sum magnitudes for l1', () => {
    expect(firstGroup(graph, dense, 'l1')).toEqual([(3 + 1 + 2) / 2, (1 + 4) / 2])
  })

  it('should see the head scaled, class by class', () => {
    const headScale = [0.5, 3]
    expect(firstGroup(graph, dense, 'l2', { headScale })).toEqual([
      (9 + 1 / 4 + 4 * 9) / 2,
      (1 + 16 * 9) / 2,
    ])
    expect(firstGroup(graph, dense, 'l1', { headScale })[0]).toBe((3 + 1 / 2 + 2 * 3) / 2)
  })

  it('should count nothing of what is pruned, on its own axis or on another', () => {
    const deep = denseGraph([1, 2, 2, 1])
    const weights = weightsFor(deep, [[3, 5], [0, 0], [1, 2, 4, 8], [0, 0], [1, 1], [0]])
    const isKept = [Uint8Array.of(1, 0), Uint8Array.of(0, 1), Uint8Array.of(1)]
    expect(firstGroup(deep, weights, 'l2', { isKept })).toEqual([(9 + 4) / 2, 0])
  })

  it('should count gamma as a third member, and every row that reads a flattened channel', () => {
    const conv = convGraph([1, 2, 1], 2)
    const weights = weightsFor(conv, [
      new Array<number>(18).fill(0).with(0, 2).with(1, 3),
      [9, 9],
      [5, 7],
      [9, 9],
      [9, 9],
      [9, 9],
      // Two positions of two channels: rows 0 and 2 read channel 0, rows 1 and 3 channel 1.
      [1, 10, 2, 20],
      [9],
    ])
    expect(firstGroup(conv, weights, 'l2')).toEqual([
      (4 + 25 + 1 + 4) / 3,
      (9 + 49 + 100 + 400) / 3,
    ])
  })
})

// Helpers

function weightsFor(graph: NeuronGraph, values: readonly number[][]): Weights {
  return graph.weights.map(({ name, shape }, i) => ({
    name,
    shape,
    data: Float32Array.from(values[i]!),
  }))
}

function firstGroup(
  graph: NeuronGraph,
  weights: Weights,
  norm: Norm,
  left: { headScale?: number[]; isKept?: Uint8Array[] } = {},
): number[] {
  const network = {
    weights: new Map(weights.map((tensor) => [tensor.name, tensor])),
    grids: createGrids(graph)(widthsOf(graph)),
    isKept: left.isKept ?? graph.groups.map(({ width }) => new Uint8Array(width).fill(1)),
    inputSums: new Map<string, Float64Array>(),
    headScale: Float64Array.from(
      { length: headGroup(graph).width },
      (_, c) => left.headScale?.[c] ?? 1,
    ),
  }
  return [...magnitudes(graph, network, graph.groups.slice(0, 1), norm)[0]!]
}
