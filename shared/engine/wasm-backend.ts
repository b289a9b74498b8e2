import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import type * as tf from '@tensorflow/tfjs'

type Inputs = Record<string, tf.TensorInfo>
type Attributes = Record<string, unknown>

/** What a replacement kernel works with: stock kernels, and memory that is its own to free. */
export interface WasmWorkspace {
  backend: BackendWasm
  /** Runs the stock kernel `name`; the result is freed at the end of the replacement unless returned. */
  run: (name: string, inputs: Inputs, attributes?: Attributes) => tf.TensorInfo
}

/** A kernel built from stock ones. Frees nothing itself: see {@link toKernelFunc}. */
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
    const owned: tf.TensorInfo[] = []
    let result: tf.TensorInfo | undefined
    const run: WasmWorkspace['run'] = (name, given, attributes = {}) => {
      const kernel = stock.get(name)
      if (kernel === undefined) throw new TypeError(`the wasm back end has no kernel ${name}`)
      const made = kernel({ inputs: given, backend, attrs: attributes as tf.NamedAttrMap })
      const [only, ...rest] = Array.isArray(made) ? made : [made]
      if (only === undefined || rest.length > 0) throw new TypeError(`${name} has not one result`)
      owned.push(only)
      return only
    }
    try {
      result = replacement({ backend, run }, inputs as Inputs, attrs ?? {})
      return result
    } finally {
      for (const info of owned) if (info !== result) backend.disposeData(info.dataId)
    }
  }
}
