import {
  BLOCK_LENGTH,
  countNumbers,
  readBlock,
  stretchesOf,
  type WeightReader,
} from './weight-reader.ts'
import {
  assertFiniteFloats,
  type NamedShape,
  type NamedTensor,
  sizeOf,
  type Weights,
} from './weights.ts'

/** Consecutive numbers; good until the next piece is asked for. */
export type Pieces = AsyncIterable<Float32Array> | Iterable<Float32Array>

/** Weights that are made while they are read, once and in order. */
export interface WeightStream {
  readonly shapes: readonly NamedShape[]
  /** All numbers, end to end in the order of the shapes, each row-major; begins anew at each call. */
  readonly pieces: () => Pieces
}

/** @param weights borrowed */
export function streamOf(weights: Weights): WeightStream {
  return { shapes: weights, pieces: () => weights.map(({ data }) => data) }
}

/** What a reader has, in blocks. */
export function streamFrom(reader: WeightReader): WeightStream {
  const { shapes } = reader
  return {
    shapes,
    async *pieces() {
      for (const { from, length } of blocksOf(countNumbers(shapes))) {
        yield await readBlock(reader, from, length)
      }
    },
  }
}

/** @returns all of it, in fresh arrays */
export async function collect({ shapes, pieces }: WeightStream): Promise<NamedTensor[]> {
  const weights = shapes.map(({ name, shape }) => {
    return { name, shape, data: new Float32Array(sizeOf(shape)) }
  })
  let place = 0
  for await (const piece of pieces()) {
    for (const { index, offset, at, size } of stretchesOf(shapes, place, piece.length)) {
      weights[index]!.data.set(piece.subarray(at, at + size), offset)
    }
    place += piece.length
  }
  assertComplete(shapes, place)
  return weights
}

/**
 * The same numbers, once they were looked at.
 *
 * @param of put before a weight's name in the message
 * @throws GraftError GRAFT_NOT_FINITE naming the first that is NaN or infinity
 * @throws RangeError for fewer or more than the shapes have
 */
export async function* finitePieces(
  { shapes, pieces }: WeightStream,
  of = '',
): AsyncGenerator<Float32Array> {
  let place = 0
  for await (const piece of pieces()) {
    assertFiniteBlock(shapes, { from: place, block: piece }, of)
    place += piece.length
    yield piece
  }
  assertComplete(shapes, place)
}

/** @throws GraftError GRAFT_NOT_FINITE naming the first number of a block that is NaN or infinity */
export function assertFiniteBlock(
  shapes: readonly NamedShape[],
  { from, block }: { readonly from: number; readonly block: Float32Array },
  of = '',
): void {
  for (const { index, offset, at, size } of stretchesOf(shapes, from, block.length)) {
    assertFiniteFloats(`${of}${shapes[index]!.name}`, block.subarray(at, at + size), offset)
  }
}

/** So many places in parts of {@link BLOCK_LENGTH}, the last one shorter. */
export function* blocksOf(total: number): Generator<{ from: number; length: number }> {
  for (let from = 0; from < total; from += BLOCK_LENGTH) {
    yield { from, length: Math.min(BLOCK_LENGTH, total - from) }
  }
}

/** Some of the weights of a stream. */
export function partOf({ shapes, pieces }: WeightStream, names: ReadonlySet<string>): WeightStream {
  return {
    shapes: shapes.filter(({ name }) => names.has(name)),
    async *pieces() {
      let place = 0
      for await (const piece of pieces()) {
        for (const { index, at, size } of stretchesOf(shapes, place, piece.length)) {
          if (names.has(shapes[index]!.name)) yield piece.subarray(at, at + size)
        }
        place += piece.length
      }
    },
  }
}

function assertComplete(shapes: readonly NamedShape[], place: number): void {
  const wanted = countNumbers(shapes)
  if (place !== wanted) throw new RangeError(`${place} numbers for weights of ${wanted}`)
}
