import type { Architecture } from './architecture.ts'
import { matchTorchTensors } from './match-torch-tensors.ts'
import { permuteAxes } from './permute-axes.ts'
import { torchName, torchTensors } from './torch-tensors.ts'
import { weightSpecs } from './weight-specs.ts'
import { assertSameShapes, sizeOf, type NamedTensor, type Weights } from './weights.ts'

/**
 * Weights as PyTorch stores them -> ours: Linear [out, in] -> [in, out], Conv2d [out, in, kh, kw] ->
 * [kh, kw, in, out], MultiheadAttention's in_proj [3 * head * dim, in] -> a kernel [in, head, dim] each for
 * queries, keys and values; and what reads a flattened map, whose inputs PyTorch numbers channel, row,
 * column, gets them in the order row, column, channel.
 *
 * Layers are matched by name; when the names are others, see {@link matchTorchTensors}.
 *
 * @param tensors borrowed; `<layer>.weight`, `.bias`, `.running_mean`, `.running_var`, ..., in the order of
 *   the file
 * @returns fresh arrays, in the order of `weightSpecs`
 * @throws GraftError GRAFT_SHAPE_MISMATCH when the tensors are not those of the architecture
 */
export function fromTorch(tensors: readonly NamedTensor[], architecture: Architecture): Weights {
  const wanted = torchTensors(architecture)
  const found = matchTorchTensors(tensors, wanted, architecture.name)
  const weights = new Map<string, Float32Array>()
  for (const [i, { parts }] of wanted.entries()) {
    let from = 0
    for (const part of parts) {
      const to = from + sizeOf(part.shape)
      weights.set(part.name, permuteAxes(found[i]!.data.subarray(from, to), part, 'back'))
      from = to
    }
  }
  return weightSpecs(architecture).map((spec) => ({ ...spec, data: weights.get(spec.name)! }))
}

/**
 * The way back of {@link fromTorch}, under the names of our layers, in the order of a state dict. There is
 * no `num_batches_tracked`, which PyTorch fills in by itself.
 * @throws GraftError GRAFT_SHAPE_MISMATCH for other weights
 */
export function toTorch(weights: Weights, architecture: Architecture): NamedTensor[] {
  assertSameShapes(weights, weightSpecs(architecture))
  const byName = new Map(weights.map(({ name, data }) => [name, data]))
  return torchTensors(architecture).map((tensor) => {
    const data = new Float32Array(sizeOf(tensor.shape))
    let at = 0
    for (const part of tensor.parts) {
      data.set(permuteAxes(byName.get(part.name)!, part, 'forth'), at)
      at += sizeOf(part.shape)
    }
    return { name: torchName(tensor), shape: tensor.shape, data }
  })
}
