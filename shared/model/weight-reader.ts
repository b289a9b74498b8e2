import { type NamedShape, type NamedTensor, sizeOf, type Weights } from './weights.ts'

/** Numbers that are handled at once, of however large a network: 4 MiB of float32. */
export const BLOCK_LENGTH = 1 << 20

/** Weights that need not be in memory, laid end to end in the order of their shapes, each row-major. */
export interface WeightReader {
  readonly shapes: readonly NamedShape[]
  /** Copies numbers from place `from` on into `target` until that is full; the weights must have so many. */
  readonly read: (from: number, target: Float32Array) => Promise<void>
}

/** Weights that may lie on disk. */
export interface Loadable {
  /** All of them, in memory; the caller must not change them. */
  load(): Promise<Weights>
  /** The same for those who need a part at a time; absent where `load` costs no memory. */
  open?(): Promise<WeightReader>
}

/** Part of one weight that lies between two places. */
export interface Stretch {
  /** Of the weight among its shapes. */
  readonly index: number
  /** Where it begins in the weight. */
  readonly offset: number
  /** Where it begins behind the first of the two places. */
  readonly at: number
  readonly size: number
}

/** Reads parts of what is loaded: again for each part, so that of many networks one is in memory at a time. */
export async function openWeights(of: Loadable): Promise<WeightReader> {
  if (of.open !== undefined) return of.open()
  return {
    shapes: await of.load(),
    read: async (from, target) => copyPart(await of.load(), from, target),
  }
}

/** The same for who has one network at a time: what must be loaded is loaded once. */
export async function openAlone(of: Loadable): Promise<WeightReader> {
  return of.open === undefined ? readerOf(await of.load()) : of.open()
}

/** @param weights borrowed */
export function readerOf(weights: Weights): WeightReader {
  return { shapes: weights, read: async (from, target) => copyPart(weights, from, target) }
}

/** @returns so many numbers from place `from` on, in a fresh array */
export async function readBlock(
  reader: WeightReader,
  from: number,
  length: number,
): Promise<Float32Array> {
  const block = new Float32Array(length)
  await reader.read(from, block)
  return block
}

/** @returns fresh weights */
export async function readAll(reader: WeightReader): Promise<NamedTensor[]> {
  const places = placesOf(reader.shapes)
  const weights: NamedTensor[] = []
  for (const { name, shape } of reader.shapes) {
    weights.push({ name, shape, data: await readBlock(reader, places.get(name)!, sizeOf(shape)) })
  }
  return weights
}

/**
 * The same weights in another order, or some of them.
 * @param shapes of weights that the reader has, as it has them
 */
export function inOrderOf(reader: WeightReader, shapes: readonly NamedShape[]): WeightReader {
  const isSo = shapes.every(({ name }, index) => reader.shapes[index]?.name === name)
  if (isSo) return { shapes, read: reader.read }
  const places = placesOf(reader.shapes)
  return {
    shapes,
    async read(from, target) {
      for (const { index, offset, at, size } of stretchesOf(shapes, from, target.length)) {
        const place = places.get(shapes[index]!.name)! + offset
        await reader.read(place, target.subarray(at, at + size))
      }
    },
  }
}

/** How many numbers there are. */
export const countNumbers = (shapes: readonly NamedShape[]): number =>
  shapes.reduce((sum, { shape }) => sum + sizeOf(shape), 0)

/** Where each weight begins, by name. */
export function placesOf(shapes: readonly NamedShape[]): ReadonlyMap<string, number> {
  let place = 0
  return new Map(
    shapes.map(({ name, shape }) => {
      const own = [name, place] as const
      place += sizeOf(shape)
      return own
    }),
  )
}

/** What lies in so many places from `from` on, in order; of weights without numbers nothing. */
export function stretchesOf(
  shapes: readonly NamedShape[],
  from: number,
  length: number,
): Stretch[] {
  const stretches: Stretch[] = []
  let start = 0
  for (const [index, { shape }] of shapes.entries()) {
    const end = start + sizeOf(shape)
    const first = Math.max(from, start)
    const size = Math.min(from + length, end) - first
    if (size > 0) stretches.push({ index, offset: first - start, at: first - from, size })
    start = end
  }
  return stretches
}

function copyPart(weights: Weights, from: number, target: Float32Array): void {
  for (const { index, offset, at, size } of stretchesOf(weights, from, target.length)) {
    target.set(weights[index]!.data.subarray(offset, offset + size), at)
  }
}
