import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GraftError } from '../../../../shared/errors.ts'
import { joinSafetensors, parseSafetensors } from '../../../../shared/model/safetensors-format.ts'
import { decodeSafetensors, encodeSafetensors } from '../../../../shared/model/safetensors.ts'
import type { Weights } from '../../../../shared/model/weights.ts'
import { weights as anyWeights } from '../../../support/arbitraries.ts'

const EXAMPLE: Weights = [
  { name: 'fc1.kernel', shape: [2, 1], data: Float32Array.of(1, -2) },
  { name: 'fc1.bias', shape: [1], data: Float32Array.of(0.5) },
]

describe('encodeSafetensors', () => {
  // Read back once with safetensors 0.8 and numpy, which found the same names, shapes and values:
  //   python3 -c "from safetensors import safe_open; f = safe_open('ours.safetensors', 'np');
  //               print(f.metadata(), {k: f.get_tensor(k) for k in f.keys()})"
  it('should write the bytes that the format says', () => {
    const file = encodeSafetensors(EXAMPLE, { num_examples: '3' })
    const header =
      '{"__metadata__":{"num_examples":"3"},' +
      '"fc1.kernel":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},' +
      '"fc1.bias":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}'
    expect(new TextDecoder().decode(file.slice(8, -12))).toBe(header.padEnd(168))
    expect(Buffer.from(file.slice(0, 8)).toString('hex')).toBe('a800000000000000')
    expect(Buffer.from(file.slice(-12)).toString('hex')).toBe('0000803f000000c00000003f')
    expect(createHash('sha256').update(file).digest('hex')).toBe(
      'e588a2422105aca9b38a812721cabbee3c27fe175551b95f1853c2c99f0a53f3',
    )
  })

  it('should refuse a name given twice, and the one that the format keeps for itself', () => {
    const [tensor] = EXAMPLE
    expect(() => encodeSafetensors([tensor!, tensor!], {})).toThrow('GRAFT_MODEL_FILE_INVALID')
    expect(() => encodeSafetensors([{ ...tensor!, name: '__metadata__' }], {})).toThrow(GraftError)
    expect(() => encodeSafetensors([{ ...tensor!, shape: [3] }], {})).toThrow(RangeError)
  })
})

describe('decodeSafetensors', () => {
  // Written by safetensors 0.8 with numpy:
  //   save_file({'fc1.weight': np.arange(6, dtype=np.float32).reshape(2, 3) / 2,
  //              'fc1.bias': np.array([-1.5, 1e-30], dtype=np.float32)}, 'python.safetensors',
  //             metadata={'num_examples': '128', 'class_counts': '[64, 64]'})
  it('should read a file that Python wrote', () => {
    const { tensors, metadata } = decodeSafetensors(readFixture('python.safetensors'))
    expect(metadata).toEqual({ num_examples: '128', class_counts: '[64, 64]' })
    expect(tensors).toEqual([
      { name: 'fc1.bias', shape: [2], data: Float32Array.of(-1.5, 1e-30) },
      { name: 'fc1.weight', shape: [2, 3], data: Float32Array.of(0, 0.5, 1, 1.5, 2, 2.5) },
    ])
  })

  it('should give back what was encoded, to the bit and in order', () => {
    const metadata = fc.dictionary(fc.string(), fc.string({ unit: 'binary' }), {
      noNullPrototype: true,
    })
    fc.assert(
      fc.property(anyWeights(), metadata, (tensors, metadata) => {
        const file = encodeSafetensors(tensors, metadata)
        // A Buffer cut out of a larger one is what files and sockets give.
        const pooled = Buffer.concat([Buffer.of(1, 2, 3), file]).subarray(3)
        const decoded = decodeSafetensors(pooled)
        expect(decoded.metadata).toEqual(metadata)
        expect(decoded.tensors.map(({ name, shape }) => ({ name, shape }))).toEqual(
          tensors.map(({ name, shape }) => ({ name, shape })),
        )
        for (const [i, { data }] of decoded.tensors.entries())
          expect(bits(data)).toEqual(bits(tensors[i]!.data))
        expect(encodeSafetensors(decoded.tensors, decoded.metadata)).toEqual(file)
      }),
    )
  })

  it('should leave out the counters of batch normalisations, whatever they are stored as', () => {
    const header =
      '{"bn.num_batches_tracked":{"dtype":"I64","shape":[],"data_offsets":[0,8]},' +
      '"bn.weight":{"dtype":"F32","shape":[1],"data_offsets":[8,12]},' +
      '"num_batches_tracked":{"dtype":"F32","shape":[1],"data_offsets":[12,16]}}'
    const { tensors } = decodeSafetensors(joinSafetensors(header, [new Uint8Array(16)]))
    expect(tensors).toEqual([{ name: 'bn.weight', shape: [1], data: Float32Array.of(0) }])
  })

  it('should refuse a file cut at any byte', () => {
    const file = encodeSafetensors(EXAMPLE, { a: 'b' })
    for (let length = 0; length < file.length; length++) {
      expect(() => decodeSafetensors(file.subarray(0, length)), `${length} bytes`).toThrow(
        expect.objectContaining({ code: 'GRAFT_MODEL_FILE_INVALID' }),
      )
    }
  })

  it('should refuse bytes behind the last tensor', () => {
    const file = encodeSafetensors(EXAMPLE, {})
    expect(() => decodeSafetensors(Buffer.concat([file, Buffer.of(0)]))).toThrow('GRAFT_MODEL_FILE')
  })

  it('should read or refuse a damaged header, never crash', () => {
    const file = encodeSafetensors(EXAMPLE, { a: 'b' })
    const end = file.length - 12
    fc.assert(
      fc.property(fc.nat(end - 1), fc.nat(255), (at, byte) => {
        const damaged = file.slice()
        damaged[at] = byte
        try {
          decodeSafetensors(damaged)
        } catch (error) {
          expect(error).toBeInstanceOf(GraftError)
        }
      }),
      { numRuns: 500 },
    )
  })

  it.each([
    [
      'a size no machine has',
      '{"a":{"dtype":"F32","shape":[9007199254740991,4],"data_offsets":[0,8]}}',
    ],
    ['a hole', '{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}'],
    [
      'an overlap',
      '{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}',
    ],
    ['offsets that run backwards', '{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}'],
    ['a negative shape', '{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}'],
    ['a fractional shape', '{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,6]}}'],
    ['a dtype that is none', '{"a":{"dtype":"F31","shape":[2],"data_offsets":[0,8]}}'],
    ['a dtype of the prototype', '{"a":{"dtype":"constructor","shape":[2],"data_offsets":[0,8]}}'],
    ['a dtype that no weight has', '{"a":{"dtype":"I32","shape":[2],"data_offsets":[0,8]}}'],
    [
      'metadata that is no map of strings',
      '{"__metadata__":{"a":1},"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}',
    ],
    ['a list', '[]'],
    ['no JSON', '{"a":'],
    ['a tensor that is null', '{"a":null}'],
  ])('should refuse %s', (_, header) => {
    const file = joinSafetensors(header, [new Uint8Array(8)])
    expect(() => decodeSafetensors(file)).toThrow(
      expect.objectContaining({ code: 'GRAFT_MODEL_FILE_INVALID' }),
    )
  })

  it.each([
    ['a tensor', '{"a":ENTRY,"a":ENTRY}'],
    ['a tensor, spelled in two ways', '{"a":ENTRY,"\\u0061":ENTRY}'],
    ['a field of a tensor', '{"a":{"dtype":"F16",MEMBERS}}'],
    ['a field of the metadata', '{"__metadata__":{"n":"1","n":"2"},"a":ENTRY}'],
    ['the metadata', '{"__metadata__":{},"__metadata__":{},"a":ENTRY}'],
  ])('should refuse a name given twice: %s', (_, template) => {
    const members = '"dtype":"F32","shape":[2],"data_offsets":[0,8]'
    const header = template.replaceAll('ENTRY', '{MEMBERS}').replaceAll('MEMBERS', members)
    const file = joinSafetensors(header, [new Uint8Array(8)])
    expect(() => decodeSafetensors(file)).toThrow('has a name twice')
  })

  it('should count no name in a text for one', () => {
    const metadata = { 'a:"b"': '{"a":1,"a":2}', '\\': ':\\":' }
    const file = encodeSafetensors(EXAMPLE, metadata)
    expect(decodeSafetensors(file).metadata).toEqual(metadata)
  })

  it('should refuse a header longer than the file without allocating it', () => {
    const file = new Uint8Array(16).fill(0xff)
    expect(() => decodeSafetensors(file)).toThrow('claims 18446744073709551615 bytes')
  })
})

describe('parseSafetensors', () => {
  it('should find tensors of every dtype', () => {
    const header =
      '{"half":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},' +
      '"long":{"dtype":"I64","shape":[],"data_offsets":[4,12]}}'
    const { entries } = parseSafetensors(joinSafetensors(header, [new Uint8Array(12).fill(7)]))
    expect(entries.map(({ name, dtype, bytes }) => [name, dtype, bytes.length])).toEqual([
      ['half', 'F16', 4],
      ['long', 'I64', 8],
    ])
  })
})

// Helpers

const bits = (data: Float32Array) => [...new Uint32Array(data.buffer, data.byteOffset, data.length)]

function readFixture(name: string): Uint8Array {
  return readFileSync(new URL(`../../../golden/fixtures/${name}`, import.meta.url))
}
