import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  inspectUpdate,
  type UpdateInspection,
} from '../../../../server/coordinator/inspect-update.ts'
import { toGraftError } from '../../../../shared/errors.ts'
import { BlobId, RoundNumber } from '../../../../shared/ids.ts'
import type { StoredTensor } from '../../../../shared/model/encoded-weights.ts'
import { type Encoding, ENCODINGS, isDelta } from '../../../../shared/model/encodings.ts'
import { parseSafetensors } from '../../../../shared/model/safetensors-format.ts'
import { encodeSafetensors, writeSafetensors } from '../../../../shared/model/safetensors.ts'
import {
  decodeUpdate,
  encodeUpdate,
  type ExpectedUpdate,
} from '../../../../shared/protocol/update.ts'

const SHAPES = [
  { name: 'fc1.kernel', shape: [3, 2] },
  { name: 'fc1.bias', shape: [2] },
  { name: 'fc2.kernel', shape: [2, 2] },
]
const EXPECTED: ExpectedUpdate = { weights: SHAPES, widths: [2, 2], numClasses: 2 }
const LIMIT = 10_000

const weights = () =>
  SHAPES.map(({ name, shape }, i) => ({
    name,
    shape,
    data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, at) => i + at / 7),
  }))

const BASE = BlobId.parse('ab'.repeat(32))

const update = (encoding: Encoding = 'float32') =>
  encodeUpdate(
    {
      round: RoundNumber.parse(3),
      architecture: 'mlp:3-2-2',
      numExamples: 5,
      classCounts: [2, 3],
      scorer: 'conductance',
      weights: weights(),
      scores: [Float32Array.of(0.25, 0.75), Float32Array.of(1, 0)],
      ...(isDelta(encoding) && { base: BASE }),
    },
    encoding,
  )

/** The update with the second number of a tensor replaced. */
function withNumber(encoding: Encoding, name: string, value: number): Uint8Array {
  return withTensors(encoding, (tensor) => {
    if (tensor.name !== name) return [tensor]
    const bytes = tensor.bytes.slice()
    new DataView(bytes.buffer).setFloat32(4, value, true)
    return [{ ...tensor, bytes }]
  })
}

function withHalf(encoding: Encoding, name: string, bits: number): Uint8Array {
  return withTensors(encoding, (tensor) => {
    if (tensor.name !== name) return [tensor]
    const bytes = tensor.bytes.slice()
    new DataView(bytes.buffer).setUint16(2, bits, true)
    return [{ ...tensor, bytes }]
  })
}

const without = (name: string): Uint8Array =>
  withTensors('int8', (tensor) => (tensor.name === name ? [] : [tensor]))

const asHalves = (name: string): Uint8Array =>
  withTensors('int8', (tensor) => {
    if (tensor.name !== name) return [tensor]
    return [{ ...tensor, dtype: 'F16', bytes: new Uint8Array(2 * tensor.bytes.length) }]
  })

function withoutBase(): Uint8Array {
  const { entries, metadata } = parseSafetensors(update('int8-delta'))
  const others = Object.entries(metadata).filter(([name]) => name !== 'base')
  return writeSafetensors(entries, Object.fromEntries(others))
}

function withTensors(
  encoding: Encoding,
  change: (tensor: StoredTensor) => readonly StoredTensor[],
): Uint8Array {
  const { entries, metadata } = parseSafetensors(update(encoding))
  return writeSafetensors(entries.flatMap(change), metadata)
}

/** The bytes with float `at`, counted from the end, replaced. */
function withFloat(at: number, value: number): Uint8Array {
  const bytes = update()
  new DataView(bytes.buffer).setFloat32(bytes.length - 4 * at, value, true)
  return bytes
}

const withText = (from: string, to: string): Uint8Array =>
  Uint8Array.from(Buffer.from(Buffer.from(update()).toString('latin1').replace(from, to), 'latin1'))

/** What an inspection says of a file that comes in pieces of these lengths, over and over. */
function inspectIn(bytes: Uint8Array, lengths: readonly number[], encoding: Encoding = 'float32') {
  const limits = { sizeBytes: bytes.length, headerBytes: LIMIT }
  return feed(inspectUpdate({ ...EXPECTED, encoding }, limits), bytes, lengths)
}

function feed(inspection: UpdateInspection, bytes: Uint8Array, lengths: readonly number[]) {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const length = lengths[i % lengths.length]!
    inspection.add(bytes.subarray(at, at + length))
    at += length
  }
  return inspection.finish()
}

function problemOf(work: () => unknown): { code: string; problem: string } | null {
  try {
    work()
    return null
  } catch (error) {
    const { code, problem } = toGraftError(error)
    return { code, problem }
  }
}

const pieces = fc.array(fc.integer({ min: 1, max: 70 }), { minLength: 1, maxLength: 6 })

describe('inspectUpdate', () => {
  it('should give facts and scores, whatever pieces the file comes in', () => {
    const { round, architecture, numExamples, classCounts, scorer, scores } = decodeUpdate(
      update(),
      EXPECTED,
    )
    const facts = { round, architecture, numExamples, classCounts, scorer }
    fc.assert(
      fc.property(pieces, (lengths) => {
        expect(inspectIn(update(), lengths)).toEqual({ facts, scores, weights: null })
      }),
    )
  })

  it('should keep the weights where it is asked to, whatever pieces the file comes in', () => {
    const bytes = update()
    const limits = { sizeBytes: bytes.length, headerBytes: LIMIT, keepsWeights: true }
    fc.assert(
      fc.property(pieces, (lengths) => {
        const { weights: kept } = feed(inspectUpdate(EXPECTED, limits), bytes, lengths)
        expect(kept).toEqual(weights().map(({ data }) => data))
      }),
    )
  })

  it.each([
    ['NaN in the last weight', withFloat(5, NaN), 'GRAFT_NOT_FINITE'],
    ['infinity in the first weight', withFloat(16, Infinity), 'GRAFT_NOT_FINITE'],
    ['a score that is no number', withFloat(1, NaN), 'GRAFT_NOT_FINITE'],
    ['a negative score', withFloat(2, -1), 'GRAFT_MESSAGE_INVALID'],
    ['another shape', withText('[3,2]', '[2,3]'), 'GRAFT_SHAPE_MISMATCH'],
    ['other classes', withText('[2,3]","sc', '[5,0,0]","sc'), 'GRAFT_MODEL_FILE_INVALID'],
    ['other metadata', withText('"graft"', '"torch"'), 'GRAFT_MESSAGE_INVALID'],
    ['half floats', withText('F32', 'F16'), 'GRAFT_MODEL_FILE_INVALID'],
    ['no header', new Uint8Array(40).fill(1, 0, 1), 'GRAFT_MODEL_FILE_INVALID'],
    ['three bytes', Uint8Array.of(1, 2, 3), 'GRAFT_MODEL_FILE_INVALID'],
    ['a missing weight', encodeSafetensors(weights().slice(1), {}), 'GRAFT_MESSAGE_INVALID'],
    ['a cut header', update().slice(0, 60), 'GRAFT_MODEL_FILE_INVALID'],
  ])('should find %s as decodeUpdate does', (_what, bytes, code) => {
    const expected = problemOf(() => decodeUpdate(bytes.slice(), EXPECTED))
    expect(expected?.code).toBe(code)
    fc.assert(
      fc.property(pieces, (lengths) => {
        expect(problemOf(() => inspectIn(bytes, lengths))).toEqual(expected)
      }),
      { numRuns: 30 },
    )
  })

  describe.each(ENCODINGS)('in %s', (encoding) => {
    const expected = { ...EXPECTED, encoding }

    it('should give facts and scores, whatever pieces the file comes in', () => {
      const bytes = update(encoding)
      const { scores, ...said } = decodeUpdate(bytes.slice(), expected)
      expect(said.base).toBe(isDelta(encoding) ? BASE : undefined)
      fc.assert(
        fc.property(pieces, (lengths) => {
          const found = inspectIn(bytes, lengths, encoding)
          expect({ ...found.facts, weights: said.weights }).toEqual(said)
          expect(found.scores).toEqual(scores)
        }),
      )
    })

    it('should say of any broken byte what decodeUpdate says', () => {
      const bytes = update(encoding)
      const at = fc.nat({ max: bytes.length - 1 })
      const odd = fc.constantFrom(0, 0x7c, 0x7e, 0x7f, 0x80, 0xff)
      fc.assert(
        fc.property(fc.array(fc.tuple(at, odd), { maxLength: 3 }), pieces, (changes, lengths) => {
          const broken = bytes.slice()
          for (const [place, value] of changes) broken[place] = value
          const said = problemOf(() => decodeUpdate(broken.slice(), expected))
          const found = problemOf(() => inspectIn(broken, lengths, encoding))
          // Of several faults one names the first in the file, the other the first of its kind.
          expect(found === null).toBe(said === null)
        }),
        { numRuns: 500 },
      )
    })

    it('should refuse every other encoding', () => {
      for (const other of ENCODINGS.filter((name) => name !== encoding)) {
        expect(problemOf(() => inspectIn(update(other), [64], encoding))).toMatchObject({
          code: 'GRAFT_MESSAGE_INVALID',
          problem: `The update is ${other}; this run has ${encoding}.`,
        })
      }
    })
  })

  it.each([
    ['a scale that is no number', 'int8', withNumber('int8', 'fc1.kernel_scale', NaN)],
    ['an infinite scale', 'int8-delta', withNumber('int8-delta', 'fc2.kernel_scale', Infinity)],
    ['an infinite half float', 'float16', withHalf('float16', 'fc1.kernel', 0x7c00)],
    [
      'a half float that is no number',
      'float16-delta',
      withHalf('float16-delta', 'fc2.kernel', 0xfe01),
    ],
  ] as const)('should refuse %s', (_what, encoding, bytes) => {
    const expected = problemOf(() => decodeUpdate(bytes.slice(), { ...EXPECTED, encoding }))
    expect(expected).toMatchObject({ code: 'GRAFT_NOT_FINITE' })
    fc.assert(
      fc.property(pieces, (lengths) => {
        expect(problemOf(() => inspectIn(bytes, lengths, encoding))?.code).toBe('GRAFT_NOT_FINITE')
      }),
      { numRuns: 30 },
    )
  })

  it.each([-1, 1e38])('should refuse a scale of %d', (scale) => {
    const bytes = withNumber('int8', 'fc1.kernel_scale', scale)
    const expected = problemOf(() => decodeUpdate(bytes.slice(), { ...EXPECTED, encoding: 'int8' }))
    expect(expected).toMatchObject({ code: 'GRAFT_MESSAGE_INVALID' })
    expect(problemOf(() => inspectIn(bytes, [7], 'int8'))).toEqual(expected)
  })

  it.each([
    ['a missing scale', without('fc1.kernel_scale'), 'GRAFT_SHAPE_MISMATCH'],
    ['half floats in the place of bytes', asHalves('fc1.kernel'), 'GRAFT_MODEL_FILE_INVALID'],
    ['differences to nothing', withoutBase(), 'GRAFT_MESSAGE_INVALID'],
  ] as const)('should refuse %s', (_what, bytes, code) => {
    const encoding = code === 'GRAFT_MESSAGE_INVALID' ? 'int8-delta' : 'int8'
    const expected = problemOf(() => decodeUpdate(bytes.slice(), { ...EXPECTED, encoding }))
    expect(expected).toMatchObject({ code })
    expect(problemOf(() => inspectIn(bytes, [13], encoding))).toEqual(expected)
  })

  it('should leave out the counters of PyTorch', () => {
    const counter = { name: 'bn.num_batches_tracked', shape: [1], data: Float32Array.of(NaN) }
    const bytes = withCounter(counter)
    expect(problemOf(() => decodeUpdate(bytes.slice(), EXPECTED))).toBeNull()
    expect(problemOf(() => inspectIn(bytes, [11]))).toBeNull()
  })

  it('should refuse a header that is much longer than any of this run, before it has come', () => {
    const bytes = new Uint8Array(2 * LIMIT)
    new DataView(bytes.buffer).setBigUint64(0, BigInt(LIMIT + 1), true)
    expect(problemOf(() => inspectIn(bytes, [100]))).toMatchObject({
      code: 'GRAFT_MODEL_FILE_INVALID',
      problem: expect.stringContaining(`at most ${LIMIT}`) as string,
    })
  })

  it('should not take a file that is not complete for a good one', () => {
    const bytes = update()
    const inspection = inspectUpdate(EXPECTED, { sizeBytes: bytes.length, headerBytes: LIMIT })
    inspection.add(bytes.subarray(0, bytes.length - 4))
    expect(() => inspection.finish()).toThrow('not complete')
  })

  function withCounter(counter: { name: string; shape: number[]; data: Float32Array }): Uint8Array {
    const tensors = [...weights(), counter]
    return encodeSafetensors(tensors, {
      format: 'graft',
      architecture: 'mlp:3-2-2',
      round: '3',
      num_examples: '5',
      class_counts: '[2,3]',
      scorer: 'conductance',
    })
  }
})
