import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openState, putState, readState } from '../../../../server/coordinator/journalled-state.ts'
import { openBlobs } from '../../../../server/store/blobs.ts'
import { streamOf } from '../../../../shared/model/weight-stream.ts'
import { createTemporaryFolder } from '../../../support/temporary-folder.ts'

const weightsOf = (value: number) => [
  { name: 'fc1.bias', shape: [2], data: Float32Array.of(0, value) },
]
const part = (value: number) => async () => streamOf(weightsOf(value))

describe('putState', () => {
  it('should replace what is given, keep the rest, and give equal states equal ids', async () => {
    await using folder = await createTemporaryFolder()
    const blobs = await openBlobs(join(folder.path, 'blobs'))
    const first = await readState(blobs, await putState(blobs, {}, { b: part(1), a: part(2) }))
    const id = await putState(blobs, first, { b: part(3) })
    const second = await readState(blobs, id)
    expect(Object.keys(second)).toEqual(['a', 'b'])
    expect(second['a']).toBe(first['a'])
    expect(await openState(blobs, second)['b']!.load()).toEqual(weightsOf(3))
    expect(await putState(blobs, {}, { a: part(2), b: part(3) })).toBe(id)
  })

  it('should refuse what is no number, naming it', async () => {
    await using folder = await createTemporaryFolder()
    const blobs = await openBlobs(join(folder.path, 'blobs'))
    await expect(putState(blobs, {}, { control: part(Infinity) })).rejects.toMatchObject({
      code: 'GRAFT_NOT_FINITE',
      problem: "The strategy's control: fc1.bias[1] is Infinity.",
    })
  })
})
