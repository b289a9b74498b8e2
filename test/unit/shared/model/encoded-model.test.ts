import { describe, expect, it } from 'vitest'
import { decodeModel } from '../../../../shared/model/encoded-model.ts'
import { ENCODINGS } from '../../../../shared/model/encodings.ts'
import { parseSafetensors } from '../../../../shared/model/safetensors-format.ts'
import { encodeSafetensors } from '../../../../shared/model/safetensors.ts'
import type { Weights } from '../../../../shared/model/weights.ts'
import { asReceived, encodeModel } from '../../../support/encoded-models.ts'
import { toyWeights } from '../../../support/toy-run.ts'

const METADATA = { format: 'graft', round: '3' }
/** Odd sizes, so that what is not aligned would show. */
const WEIGHTS: Weights = [
  tensor('conv1.kernel', [3, 3, 1, 5]),
  tensor('conv1.bias', [5]),
  tensor('bn.variance', [5]),
  tensor('fc1.kernel', [5, 3]),
  tensor('fc1.bias', [3]),
]

describe('an encoded model', () => {
  it.each(ENCODINGS)('should come back in %s as a receiver has it', (encoding) => {
    const bytes = encodeModel(WEIGHTS, METADATA, encoding)
    const decoded = decodeModel(bytes, WEIGHTS, encoding)
    expect(decoded).toEqual(asReceived(WEIGHTS, encoding))
    expect(decoded.map(({ name, shape }) => ({ name, shape }))).toEqual(
      WEIGHTS.map(({ name, shape }) => ({ name, shape })),
    )
    expect(encodeModel(WEIGHTS, METADATA, encoding)).toEqual(bytes)
  })

  it('should be in float32 the file that it always was', () => {
    expect(encodeModel(WEIGHTS, METADATA, 'float32')).toEqual(encodeSafetensors(WEIGHTS, METADATA))
  })

  it('should hold its kernels as bytes with a scale a channel, all where their type may lie', () => {
    const { entries, metadata } = parseSafetensors(encodeModel(WEIGHTS, METADATA, 'int8'))
    expect(metadata).toEqual({ ...METADATA, encoding: 'int8' })
    expect(entries.map(({ name, dtype, shape }) => [name, dtype, shape])).toEqual([
      ['conv1.kernel_scale', 'F32', [5]],
      ['conv1.bias', 'F32', [5]],
      ['bn.variance', 'F32', [5]],
      ['fc1.kernel_scale', 'F32', [3]],
      ['fc1.bias', 'F32', [3]],
      ['conv1.kernel', 'I8', [3, 3, 1, 5]],
      ['fc1.kernel', 'I8', [5, 3]],
    ])
    for (const { dtype, bytes } of entries) {
      if (dtype === 'F32') expect(bytes.byteOffset % 4).toBe(0)
    }
  })

  it.each([
    ['float16', 2 ** -11],
    ['int8', 1 / 254],
  ] as const)('should be off in %s by no more than it rounds', (encoding, share) => {
    const weights = toyWeights('rounded')
    asReceived(weights, encoding).forEach(({ name, data }, index) => {
      const exact = weights[index]!.data
      const largest = exact.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
      const worst = data.reduce((most, value, i) => Math.max(most, Math.abs(value - exact[i]!)), 0)
      expect(worst, name).toBeLessThanOrEqual(1.0001 * share * largest)
      // It did encode.
      if (name.endsWith('.kernel')) expect(worst).toBeGreaterThan(0)
      else expect(worst).toBe(0)
    })
  })

  it.each([
    ['another type', encodeModel(WEIGHTS, METADATA, 'float16'), 'GRAFT_SHAPE_MISMATCH'],
    ['a missing weight', encodeModel(WEIGHTS.slice(1), METADATA, 'int8'), 'GRAFT_SHAPE_MISMATCH'],
    ['no file', new Uint8Array(3), 'GRAFT_MODEL_FILE_INVALID'],
    ['a scale that is no number', withScale(NaN), 'GRAFT_NOT_FINITE'],
    ['a scale below 0', withScale(-1), 'GRAFT_MESSAGE_INVALID'],
    ['a scale of which weights would be infinite', withScale(1e38), 'GRAFT_MESSAGE_INVALID'],
  ])('should be refused with %s', (_what, bytes, code) => {
    expect(() => decodeModel(bytes, WEIGHTS, 'int8')).toThrow(expect.objectContaining({ code }))
  })

  it('should be refused when its tensors are of another type', () => {
    const wide = encodeSafetensors(reordered(), {})
    expect(() => decodeModel(wide, WEIGHTS, 'float16')).toThrow(
      expect.objectContaining({ code: 'GRAFT_MODEL_FILE_INVALID' }),
    )
  })
})

// Helpers

function tensor(name: string, shape: readonly number[]) {
  const length = shape.reduce((a, b) => a * b, 1)
  return { name, shape, data: Float32Array.from({ length }, (_, i) => Math.sin(i + name.length)) }
}

function withScale(value: number): Uint8Array {
  const bytes = encodeModel(WEIGHTS, METADATA, 'int8')
  const [scale] = parseSafetensors(bytes).entries
  new DataView(bytes.buffer).setFloat32(scale!.bytes.byteOffset + 4, value, true)
  return bytes
}

/** As a float16 file has them, in float32. */
function reordered(): Weights {
  const isKernel = ({ name }: { name: string }) => name.endsWith('.kernel')
  return [...WEIGHTS.filter((weight) => !isKernel(weight)), ...WEIGHTS.filter(isKernel)]
}
