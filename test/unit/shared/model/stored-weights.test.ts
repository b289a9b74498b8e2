import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeModel } from '../../../../shared/model/encoded-model.ts'
import { ENCODINGS } from '../../../../shared/model/encodings.ts'
import { encodedModelBytes, modelBytes } from '../../../../shared/model/model-bytes.ts'
import { encodeSafetensors } from '../../../../shared/model/safetensors.ts'
import {
  openSafetensorsFile,
  readerOfClientModel,
  readerOfModel,
  sumOf,
} from '../../../../shared/model/stored-weights.ts'
import {
  BLOCK_LENGTH,
  countNumbers,
  inOrderOf,
  readAll,
  readerOf,
} from '../../../../shared/model/weight-reader.ts'
import { collect, finitePieces, streamFrom } from '../../../../shared/model/weight-stream.ts'
import { sizeOf, type Weights } from '../../../../shared/model/weights.ts'
import { createRng } from '../../../../shared/numeric/rng.ts'
import { addWeights, encodeModel } from '../../../support/encoded-models.ts'

const SHAPES = [
  { name: 'fc1.kernel', shape: [3, 5] },
  { name: 'fc1.bias', shape: [5] },
  { name: 'fc2.kernel', shape: [5, 2] },
  { name: 'fc2.bias', shape: [2] },
]
const METADATA = { format: 'graft', round: '3' }
const ENCODED = ENCODINGS.filter((encoding) => encoding !== 'float32')

describe('readerOfClientModel', () => {
  it.each(ENCODINGS)(
    'should read any part of a model in %s as the whole has it',
    async (encoding) => {
      const bytes = encodeModel(weightsOf('a'), METADATA, encoding)
      const reader = await readerOfClientModel(await open(bytes), SHAPES, encoding)
      const expected = flat(decodeModel(bytes, SHAPES, encoding))
      const total = countNumbers(SHAPES)
      await fc.assert(
        fc.asyncProperty(fc.nat(total), fc.nat(total), async (from, to) => {
          const part = new Float32Array(Math.max(0, to - from))
          await reader.read(from, part)
          expect(part).toEqual(expected.subarray(from, Math.max(from, to)))
        }),
        { numRuns: 60 },
      )
    },
  )

  it('should refuse other tensors than the encoding has, and numbers that are not finite', async () => {
    const bytes = encodeModel(weightsOf('a'), METADATA, 'float16')
    await expect(readerOfClientModel(await open(bytes), SHAPES, 'int8')).rejects.toMatchObject({
      code: 'GRAFT_SHAPE_MISMATCH',
    })
    bytes.set([0x00, 0x7c], bytes.length - 4)
    const reader = await readerOfClientModel(await open(bytes), SHAPES, 'float16')
    await expect(readAll(reader)).rejects.toMatchObject({
      code: 'GRAFT_NOT_FINITE',
      problem: 'fc2.kernel[8] is Infinity.',
    })
  })
})

describe('files that are made piece by piece', () => {
  it.each(ENCODED)('should be those that are made at once, in %s', async (encoding) => {
    // Its kernel is larger than a block, and its rows do not end where a block does.
    const wide = drawn([{ name: 'fc1.kernel', shape: [3, 400_001] }], 'wide')
    for (const weights of [weightsOf('a'), wide]) {
      const made = await joined(encodedModelBytes(readerOf(weights), METADATA, encoding))
      expect(Buffer.compare(made, encodeModel(weights, METADATA, encoding))).toBe(0)
    }
  })

  it('should be those that are made at once, in float32', async () => {
    const weights = drawn([{ name: 'a', shape: [BLOCK_LENGTH] }, ...SHAPES], 'large')
    const made = await joined(modelBytes(streamFrom(readerOf(weights)), METADATA))
    expect(Buffer.compare(made, encodeSafetensors(weights, METADATA))).toBe(0)
    const reader = readerOfModel(await open(made))
    expect(await collect(streamFrom(reader))).toEqual(weights)
  })
})

describe('sumOf', () => {
  it('should add as differences are added to what they are differences to', async () => {
    const [differences, base] = [weightsOf('d'), weightsOf('b')]
    const sum = await readAll(sumOf(readerOf(differences), readerOf(base)))
    expect(sum).toEqual(addWeights(differences, base))
  })
})

describe('inOrderOf', () => {
  it('should read weights in another order, and some of them', async () => {
    const weights = weightsOf('a')
    const some = [SHAPES[3]!, SHAPES[0]!]
    const read = await collect(streamFrom(inOrderOf(readerOf(weights), some)))
    expect(read).toEqual([weights[3], weights[0]])
  })
})

describe('finitePieces', () => {
  it('should name what is not finite, wherever pieces begin', async () => {
    const pieces = function* () {
      yield new Float32Array(16)
      yield Float32Array.of(0, 0, Number.NaN)
    }
    const looked = finitePieces({ shapes: SHAPES, pieces }, 'The model: ')
    await expect(joinedFloats(looked)).rejects.toMatchObject({
      code: 'GRAFT_NOT_FINITE',
      problem: 'The model: fc1.bias[3] is NaN.',
    })
  })

  it('should refuse fewer numbers than the shapes have', async () => {
    const pieces = () => [new Float32Array(31)]
    await expect(joinedFloats(finitePieces({ shapes: SHAPES, pieces }))).rejects.toThrow(RangeError)
  })
})

// Helpers

const weightsOf = (seed: string): Weights => drawn(SHAPES, seed)

function drawn(shapes: readonly { name: string; shape: number[] }[], seed: string): Weights {
  const rng = createRng(seed)
  return shapes.map(({ name, shape }) => ({
    ...{ name, shape },
    data: Float32Array.from({ length: sizeOf(shape) }, () => rng.next() * 2 - 1),
  }))
}

const flat = (weights: Weights): Float32Array =>
  Float32Array.from(weights.flatMap(({ data }) => [...data]))

const open = (bytes: Uint8Array) =>
  openSafetensorsFile({
    sizeBytes: bytes.length,
    read: async (offset, target) => target.set(bytes.subarray(offset, offset + target.length)),
  })

async function joined(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const piece of pieces) parts.push(new Uint8Array(piece))
  return Buffer.concat(parts)
}

async function joinedFloats(pieces: AsyncIterable<Float32Array>): Promise<number> {
  let count = 0
  for await (const piece of pieces) count += piece.length
  return count
}
