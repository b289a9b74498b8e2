import * as tf from '@tensorflow/tfjs'
import { type NativeOps, nativeOps } from '../../shared/engine/native-ops.ts'
import { type WasmMemory, wasmMemory } from '../../shared/engine/wasm-memory.ts'
import type { WeightSource } from '../../shared/model/op-graph.ts'
import {
  BLOCK_LENGTH,
  inOrderOf,
  placesOf,
  type WeightReader,
} from '../../shared/model/weight-reader.ts'
import { blocksOf } from '../../shared/model/weight-stream.ts'
import { type NamedShape, sizeOf } from '../../shared/model/weights.ts'

/** One network on the engine that others take the place of, a block of their weights in memory. */
export interface BenchNetwork {
  /** Of the last network that was loaded; the tensors are borrowed until the next one is. */
  readonly source: WeightSource
  /** @param reader of the shapes that this was made for */
  load(reader: WeightReader): Promise<void>
  dispose(): void
}

/**
 * Keeps the memory of its network from the first `load` to `dispose`. A weight of more numbers than a block is written part by
 * part to where it is on the engine; webgpu takes it whole, so that the largest weight is in memory twice while it is loaded.
 */
export function createBenchNetwork(shapes: readonly NamedShape[]): BenchNetwork {
  const places = placesOf(shapes)
  let slots: ReadonlyMap<string, Slot> | undefined

  return {
    source: (name) => slots!.get(name)!.value(),
    async load(reader) {
      slots ??= new Map(shapes.map((weight) => [weight.name, createSlot(weight)]))
      const { read } = inOrderOf(reader, shapes)
      for (const { name } of shapes) {
        const place = places.get(name)!
        await slots.get(name)!.fill((offset, target) => read(place + offset, target))
      }
    },
    dispose() {
      for (const slot of slots?.values() ?? []) slot.dispose()
      slots = undefined
    },
  }
}

/** Copies numbers of a weight, from `offset` on. */
type ReadWeight = (offset: number, target: Float32Array) => Promise<void>

/** Where a weight is on the engine. */
interface Slot {
  fill(read: ReadWeight): Promise<void>
  /** Borrowed until the next `fill`. */
  value(): tf.Tensor
  dispose(): void
}

function createSlot(weight: NamedShape): Slot {
  if (sizeOf(weight.shape) <= BLOCK_LENGTH) return wholeSlot(weight)
  const ops = nativeOps()
  if (ops !== undefined) return rowSlot(weight, ops)
  const memory = wasmMemory()
  return memory === undefined ? wholeSlot(weight) : blockSlot(weight, memory)
}

function wholeSlot({ shape }: NamedShape): Slot {
  let value: tf.Tensor | undefined
  return {
    async fill(read) {
      const data = new Float32Array(sizeOf(shape))
      for (const { from, length } of blocksOf(data.length)) {
        await read(from, data.subarray(from, from + length))
      }
      value?.dispose()
      value = tf.keep(tf.tensor(data, [...shape], 'float32'))
    },
    value: () => value!,
    dispose: () => value?.dispose(),
  }
}

function blockSlot({ shape }: NamedShape, memory: WasmMemory): Slot {
  let value: tf.Tensor | undefined
  return {
    async fill(read) {
      // Memory of the same size, as nothing comes between, but another tensor: kernels keep what they made of the last one.
      value?.dispose()
      value = tf.keep(memory.make(shape))
      for (const { from, length } of blocksOf(sizeOf(shape))) {
        const data = new Float32Array(length)
        await read(from, data)
        memory.write(value, from, data)
      }
    },
    value: () => value!,
    dispose: () => value?.dispose(),
  }
}

function rowSlot({ shape }: NamedShape, ops: NativeOps): Slot {
  const columns = shape.at(-1)!
  const rows = sizeOf(shape) / columns
  const rowsAtOnce = Math.max(1, Math.floor(BLOCK_LENGTH / columns))
  const variable = tf.keep(ops.createRows([rows, columns]))
  let value: tf.Tensor | undefined
  return {
    async fill(read) {
      value?.dispose()
      for (let first = 0; first < rows; first += rowsAtOnce) {
        const count = Math.min(rowsAtOnce, rows - first)
        const data = new Float32Array(count * columns)
        await read(first * columns, data)
        tf.tidy(() => ops.writeRows(variable, first, tf.tensor2d(data, [count, columns])))
      }
      value = tf.tidy(() => tf.keep(tf.reshape(ops.readVariable(variable), [...shape])))
    },
    value: () => value!,
    dispose() {
      value?.dispose()
      ops.destroyVariable(variable)
    },
  }
}
