import { scaleOf, storedShapes } from './encoded-weights.ts'
import type { Encoding } from './encodings.ts'
import { toFloat16 } from './float16.ts'
import { createScaleMeasure, quantiseBy } from './int8.ts'
import { bytesOf, startOfSafetensors } from './safetensors-format.ts'
import { safetensorsHeader } from './safetensors.ts'
import { placesOf, readBlock, type WeightReader } from './weight-reader.ts'
import { blocksOf, type WeightStream } from './weight-stream.ts'
import { sizeOf } from './weights.ts'

/** Consecutive bytes of a file; good until the next are asked for. */
export type FileBytes = AsyncGenerator<Uint8Array>

/**
 * The file that `encodeSafetensors` makes of the same weights and metadata, piece by piece.
 * @throws GraftError GRAFT_MODEL_FILE_INVALID for a name that is given twice or is `__metadata__`
 */
export async function* modelBytes(
  { shapes, pieces }: WeightStream,
  metadata: Readonly<Record<string, string>>,
): FileBytes {
  yield startOfSafetensors(safetensorsHeader(shapes, metadata))
  for await (const piece of pieces()) yield bytesOf(piece)
}

/**
 * A file of weights for the wire, in an encoding other than float32: the same weights, metadata and encoding give the same bytes.
 * Weights of int8 are read twice, as their scales come first.
 *
 * @param weights finite
 */
export async function* encodedModelBytes(
  weights: WeightReader,
  metadata: Readonly<Record<string, string>>,
  encoding: Exclude<Encoding, 'float32'>,
): FileBytes {
  const stored = storedShapes(weights.shapes, encoding)
  yield startOfSafetensors(safetensorsHeader(stored, { ...metadata, encoding }))
  const scales = new Map<string, Float32Array>()
  const scaled = new Map(weights.shapes.map(({ name }) => [scaleOf(name), name]))
  const known = new Set(weights.shapes.map(({ name }) => name))
  for (const { name, dtype } of stored) {
    if (!known.has(name)) {
      const own = await scalesOf(weights, scaled.get(name)!)
      scales.set(scaled.get(name)!, own)
      yield bytesOf(own)
      continue
    }
    for await (const { first, block } of numbersOf(weights, name)) {
      if (dtype === 'F16') yield bytesOf(toFloat16(block))
      else if (dtype === 'I8') yield bytesOf(quantiseBy(scales.get(name)!, block, first))
      else yield bytesOf(block)
    }
  }
}

async function scalesOf(weights: WeightReader, name: string): Promise<Float32Array> {
  const { shape } = weights.shapes.find((weight) => weight.name === name)!
  const measure = createScaleMeasure(shape.at(-1)!)
  for await (const { block } of numbersOf(weights, name)) measure.add(block)
  return measure.scales()
}

/** One weight in blocks. */
async function* numbersOf(weights: WeightReader, name: string) {
  const place = placesOf(weights.shapes).get(name)!
  const { shape } = weights.shapes.find((weight) => weight.name === name)!
  for (const { from: first, length } of blocksOf(sizeOf(shape))) {
    yield { first, block: await readBlock(weights, place + first, length) }
  }
}
