import { decodeSafetensors } from '../../shared/model/safetensors.ts'
import type { NamedTensor, Weights } from '../../shared/model/weights.ts'
import type { ModelComparison } from '../../shared/protocol/operator/resources.ts'

type Compared = Pick<ModelComparison, 'isSameShape' | 'tensors'>

/** How far the weights of two safetensors files are apart, tensor by tensor, in float64. */
export function compareModels(a: Uint8Array, b: Uint8Array): Compared {
  const [first, second] = [decodeSafetensors(a).tensors, decodeSafetensors(b).tensors]
  if (!isSameShape(first, second)) return { isSameShape: false, tensors: [] }
  const others = new Map(second.map((tensor) => [tensor.name, tensor]))
  return {
    isSameShape: true,
    tensors: first.map((tensor) => compare(tensor, others.get(tensor.name)!)),
  }
}

function isSameShape(a: Weights, b: Weights): boolean {
  const shapes = new Map(b.map(({ name, shape }) => [name, shape.join()]))
  return a.length === b.length && a.every(({ name, shape }) => shapes.get(name) === shape.join())
}

function compare(
  { name, shape, data }: NamedTensor,
  { data: other }: NamedTensor,
): Compared['tensors'][number] {
  let [ofA, ofB, apart, dot] = [0, 0, 0, 0]
  for (let i = 0; i < data.length; i++) {
    const [x, y] = [data[i]!, other[i]!]
    ofA += x * x
    ofB += y * y
    apart += (y - x) * (y - x)
    dot += x * y
  }
  const cosine = ofA === 0 || ofB === 0 ? null : dot / Math.sqrt(ofA * ofB)
  return {
    name,
    shape: [...shape],
    distance: ofA === 0 ? Math.sqrt(ofB) : Math.sqrt(apart / ofA),
    // Rounding may lead past the end.
    cosine: cosine === null ? null : Math.max(-1, Math.min(1, cosine)),
  }
}
