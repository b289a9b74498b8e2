import { type NeuronGraph, widthsOf } from '../../shared/model/neuron-graph.ts'
import type { Weights } from '../../shared/model/weights.ts'
import { alignWeights, type Transport } from './align-weights.ts'
import type { Column, Grouping } from './grouping.ts'
import { hasOffset, type LinearLevel } from './linear-level.ts'
import { measureWidths } from './measure-widths.ts'
import type { Parent } from './strategy.ts'

/** What has become of the neurons of one group. */
export interface GroupedColumns {
  readonly columns: readonly Column[]
  readonly grouping: Grouping
}

/**
 * The parents' own weights of a level, made to read the fused neurons: a fused neuron stands for every
 * neuron that went into it, so it is read with the sum of their weights.
 *
 * @param groups what has become of the groups that the level reads, by index
 * @returns [fanIn (+ 1), column], the parents' neurons side by side
 */
export async function carriedWeights(
  parents: readonly Parent[],
  graph: NeuronGraph,
  linear: LinearLevel,
  groups: ReadonlyMap<number, GroupedColumns>,
): Promise<Float32Array> {
  const blocks: { values: Float32Array; width: number }[] = []
  for (const [index, parent] of parents.entries()) {
    const weights = await parent.load()
    const from = measureWidths(weights, graph, parent.id)
    const alignments = graph.groups.map((group) => {
      const made = groups.get(group.index)
      return made && { outputs: [], readers: readersOf(made, index) }
    })
    const own = weights.filter(({ name }) => name === linear.kernel)
    const widths = { from, to: widthsOf(graph), side: 'readers' } as const
    const [kernel] = alignWeights(own, graph, alignments, widths)
    const width = kernel!.shape.at(-1)!
    const rows = kernel!.data.length / width + (hasOffset(linear) ? 1 : 0)
    const values = new Float32Array(rows * width)
    values.set(kernel!.data)
    const bias = weights.find(({ name }) => name === linear.bias)
    if (bias !== undefined) values.set(bias.data, (rows - 1) * width)
    foldNorm(values, width, linear, weights)
    blocks.push({ values, width })
  }
  return joinColumns(blocks)
}

/** Every neuron of the parent goes on in one fused neuron. */
function readersOf({ columns, grouping }: GroupedColumns, parent: number): Transport[] {
  return grouping.flatMap((members, to) =>
    members
      .map(({ column }) => columns[column]!)
      .filter((column) => column.parent === parent)
      .map(({ neuron }) => ({ from: neuron, to, value: 1 })),
  )
}

/** Multiplies a batch normalisation, as it is in inference, into the product before it; in place. */
function foldNorm(
  values: Float32Array,
  width: number,
  { norm }: LinearLevel,
  weights: Weights,
): void {
  if (norm === undefined) return
  const of = (role: string) => weights.find(({ name }) => name === norm.names.get(role))?.data
  const [gamma, beta] = [of('gamma'), of('beta')]
  const [mean, variance] = [of('movingMean')!, of('movingVariance')!]
  const offsets = values.length - width
  for (let neuron = 0; neuron < width; neuron++) {
    const slope = (gamma?.[neuron] ?? 1) / Math.sqrt(variance[neuron]! + norm.op.epsilon!)
    values[offsets + neuron]! -= mean[neuron]!
    for (let at = neuron; at < values.length; at += width) values[at]! *= slope
    values[offsets + neuron]! += beta?.[neuron] ?? 0
  }
}

function joinColumns(blocks: readonly { values: Float32Array; width: number }[]): Float32Array {
  const total = blocks.reduce((sum, { width }) => sum + width, 0)
  const rows = blocks[0]!.values.length / blocks[0]!.width
  const joined = new Float32Array(rows * total)
  let offset = 0
  for (const { values, width } of blocks) {
    for (let row = 0; row < rows; row++) {
      joined.set(values.subarray(row * width, (row + 1) * width), row * total + offset)
    }
    offset += width
  }
  return joined
}
