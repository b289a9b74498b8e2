import type { Level } from '../../shared/model/levels.ts'
import { type NamedTensor, sizeOf } from '../../shared/model/weights.ts'
import { type AxisCopy, copyBlock } from './copy-block.ts'
import { firstIndices } from './first-indices.ts'
import type { Network } from './network.ts'
import { type NeuronAxis, neuronAxesOf } from './neuron-axes.ts'

/**
 * The weights of the kept neurons, those of the first network first. Weights between neurons of two
 * networks are zero; the heads' biases are summed, so scale the heads first.
 *
 * @param kept neurons of each network, ascending, [level][network][kept]; of the head all
 * @returns fresh tensors, in the order of the first network's
 */
export function gatherNeurons(
  networks: readonly Network[],
  levels: readonly Level[],
  kept: readonly (readonly Int32Array[])[],
): ReadonlyMap<string, NamedTensor> {
  const axesOf = neuronAxesOf(levels)
  const gathered = new Map<string, NamedTensor>()
  for (const name of networks[0]!.weights.keys()) {
    const axes = axesOf.get(name)!
    const tensors = networks.map(({ weights }) => weights.get(name)!)
    const isHeadBias = axes.some(({ level, role }) => level.isHead && role === 'bias')
    gathered.set(name, isHeadBias ? sumOf(tensors) : gatherWeight(tensors, axes, kept))
  }
  return gathered
}

function gatherWeight(
  tensors: readonly NamedTensor[],
  axes: readonly NeuronAxis[],
  kept: readonly (readonly Int32Array[])[],
): NamedTensor {
  const hidden = axes.filter(({ level }) => !level.isHead)
  const { name, shape } = tensors[0]!
  const target = shape.map((length, axis) => {
    const of = hidden.find((neurons) => neurons.axis === axis)
    return of === undefined ? length : of.repeats * countOf(kept[of.level.index]!)
  })
  const fused = { name, shape: target, data: new Float32Array(sizeOf(target)) }
  tensors.forEach((tensor, k) => {
    const copies = tensor.shape.map((length, axis) => {
      const of = hidden.find((neurons) => neurons.axis === axis)
      if (of === undefined) return { from: firstIndices(length), to: firstIndices(length) }
      return neuronCopy(kept[of.level.index]!, k, { length, repeats: of.repeats })
    })
    copyBlock(tensor, fused, copies)
  })
  return fused
}

/** Along a neuron axis: index = repeat * width + neuron, in the network and in the fused one. */
function neuronCopy(
  kept: readonly Int32Array[],
  network: number,
  { length, repeats }: { length: number; repeats: number },
): AxisCopy {
  const neurons = kept[network]!
  const width = length / repeats
  const fusedWidth = countOf(kept)
  const offset = countOf(kept.slice(0, network))
  const each = <T>(at: (repeat: number, i: number) => T): T[] =>
    Array.from({ length: repeats }, (_, repeat) =>
      Array.from(neurons, (_neuron, i) => at(repeat, i)),
    ).flat()
  return {
    from: Int32Array.from(each((repeat, i) => repeat * width + neurons[i]!)),
    to: Int32Array.from(each((repeat, i) => repeat * fusedWidth + offset + i)),
  }
}

function sumOf(tensors: readonly NamedTensor[]): NamedTensor {
  const { name, shape, data } = tensors[0]!
  const sums = Float64Array.from(data, (_, i) =>
    tensors.reduce((sum, tensor) => sum + tensor.data[i]!, 0),
  )
  return { name, shape, data: Float32Array.from(sums) }
}

const countOf = (kept: readonly Int32Array[]): number =>
  kept.reduce((sum, { length }) => sum + length, 0)
