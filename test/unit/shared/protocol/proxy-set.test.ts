import { describe, expect, it } from 'vitest'
import { encodeSafetensors } from '../../../../shared/model/safetensors.ts'
import { decodeProxySet, encodeProxySet } from '../../../../shared/protocol/proxy-set.ts'
import { blobExamples } from '../../../support/array-examples.ts'

const examples = blobExamples({ inputShape: [2, 3, 1], numClasses: 4 }, 9, 'proxy')

describe('encodeProxySet and decodeProxySet', () => {
  it('should give back every example', () => {
    const decoded = decodeProxySet(encodeProxySet(examples))
    expect(decoded.inputShape).toEqual([2, 3, 1])
    expect(decoded.numClasses).toBe(4)
    expect(decoded.labels).toEqual(examples.labels)
    expect(decoded.inputs([8, 0, 3])).toEqual(examples.inputs([8, 0, 3]))
    expect(() => decoded.inputs([9])).toThrow(RangeError)
  })

  it('should give the same bytes again', () => {
    expect(encodeProxySet(examples)).toEqual(encodeProxySet(examples))
  })

  it.each([
    {
      case: 'another file',
      bytes: file({ format: 'graft' }, [0, 1]),
      code: 'GRAFT_MESSAGE_INVALID',
    },
    { case: 'a label too many', bytes: file({}, [0, 1, 1]), code: 'GRAFT_SHAPE_MISMATCH' },
    { case: 'a class that is not there', bytes: file({}, [0, 2]), code: 'GRAFT_SHAPE_MISMATCH' },
    { case: 'half a label', bytes: file({}, [0, 0.5]), code: 'GRAFT_SHAPE_MISMATCH' },
    { case: 'an infinite input', bytes: file({}, [0, 1], Infinity), code: 'GRAFT_NOT_FINITE' },
    { case: 'no file at all', bytes: new Uint8Array(3), code: 'GRAFT_MODEL_FILE_INVALID' },
  ])('should refuse $case with $code', ({ bytes, code }) => {
    expect(() => decodeProxySet(bytes)).toThrow(expect.objectContaining({ code }))
  })
})

// Helpers

function file(metadata: Record<string, string>, labels: number[], first = 1): Uint8Array {
  return encodeSafetensors(
    [
      { name: 'inputs', shape: [2, 2], data: Float32Array.of(first, 2, 3, 4) },
      { name: 'labels', shape: [labels.length], data: Float32Array.from(labels) },
    ],
    { format: 'graft-examples', num_classes: '2', ...metadata },
  )
}
