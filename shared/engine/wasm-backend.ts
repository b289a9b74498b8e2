import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import type * as tf from '@tensorflow/tfjs'

type Inputs = Record<string, tf.TensorInfo>
type Attributes = Record<string, unknown>

/** What a replacement kernel works with: stock kernels, and memory. What it makes is freed at the end unless returned. */
export interface WasmWorkspace {
  /** Runs the stock kernel `name`. */
  run: (name: string, inputs: Inputs, attributes?: Attributes) => tf.TensorInfo
  /** A float32 tensor that holds anything yet. */
  make: (shape: readonly number[]) => tf.TensorInfo
  /** Its numbers where they are, until something is made or run: that may move all memory. */
  view: (tensor: tf.TensorInfo) => Float32Array
  /** Frees what was made or run before the end. */
  free: (made: tf.TensorInfo) => void
}

/** A kernel built from stock ones, which need free nothing: see {@link toKernelFunc}. */
export type Replacement = (
  workspace: WasmWorkspace,
  inputs: Inputs,
  attributes: Attributes,
) => tf.TensorInfo

/**
 * Makes a kernel of a replacement: what it computed on the way is freed when it ends, also by an error,
 * and only what it returns lives on, owned by the caller. Inputs are borrowed.
 *
 * @param stock the kernels that were registered before any replacement, by name
 */
export function toKernelFunc(
  replacement: Replacement,
  stock: ReadonlyMap<string, tf.KernelFunc>,
): tf.KernelFunc {
  return ({ inputs, attrs, backend: untyped }) => {
    const backend = untyped as unknown as BackendWasm
    const owned = new Set<tf.TensorInfo>()
    const own = (info: tf.TensorInfo) => {
      owned.add(info)
      return info
    }
    const free = (info: tf.TensorInfo) => {
      owned.delete(info)
      backend.disposeData(info.dataId)
    }
    const run: WasmWorkspace['run'] = (name, given, attributes = {}) => {
      const kernel = stock.get(name)
      if (kernel === undefined) throw new TypeError(`the wasm back end has no kernel ${name}`)
      const made = kernel({ inputs: given, backend, attrs: attributes as tf.NamedAttrMap })
      const [only, ...rest] = Array.isArray(made) ? made : [made]
      if (only === undefined || rest.length > 0) throw new TypeError(`${name} has not one result`)
      return own(only)
    }
    const make: WasmWorkspace['make'] = (shape) => own(backend.makeOutput([...shape], 'float32'))
    const view = (info: tf.TensorInfo) => backend.typedArrayFromHeap(info) as Float32Array
    try {
      const result = replacement({ run, make, view, free }, inputs as Inputs, attrs ?? {})
      owned.delete(result)
      return result
    } finally {
      for (const { dataId } of owned) backend.disposeData(dataId)
    }
  }
}
