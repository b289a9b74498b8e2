import { describe, expect, it } from 'vitest'
import { createChunkCache } from '../../../../server/store/chunk-cache.ts'
import { hashOf } from '../../../support/toy-run.ts'

const [one, two] = [hashOf(Buffer.of(1)), hashOf(Buffer.of(2))]
const MIB = 1 << 20

describe('createChunkCache', () => {
  it('should read a chunk once for all who ask', async () => {
    const { cache, reads } = open()
    const [a, b] = await Promise.all([cache.read(one, 0, 10), cache.read(one, 0, 10)])
    expect(await cache.read(one, 0, 10)).toBe(a)
    expect(b).toBe(a)
    await cache.read(one, 10, 10)
    await cache.read(two, 0, 10)
    expect(reads).toEqual([`${one}/0`, `${one}/10`, `${two}/0`])
  })

  it('should keep no more than 16 MiB, and what was asked for last', async () => {
    const { cache, reads } = open()
    for (let n = 0; n < 16; n++) await cache.read(one, n * MIB, MIB)
    await cache.read(one, 0, MIB)
    await cache.read(two, 0, MIB)
    const before = reads.length
    await cache.read(one, 0, MIB)
    expect(reads).toHaveLength(before)
    await cache.read(one, MIB, MIB)
    expect(reads).toHaveLength(before + 1)
  })

  it('should not keep any number of small chunks', async () => {
    const { cache, reads } = open()
    for (let n = 0; n <= 4096; n++) await cache.read(one, n, n % 2)
    await cache.read(one, 4096, 0)
    expect(reads).toHaveLength(4097)
    await cache.read(one, 0, 0)
    expect(reads).toHaveLength(4098)
  })

  it('should ask again after a failure, and after a blob was replaced', async () => {
    const { cache, reads, failures } = open()
    failures.push(new Error('gone'))
    await expect(cache.read(one, 0, 10)).rejects.toThrow('gone')
    await cache.read(one, 0, 10)
    cache.forget(one)
    await cache.read(one, 0, 10)
    expect(reads).toHaveLength(3)
  })
})

function open() {
  const reads: string[] = []
  const failures: Error[] = []
  const cache = createChunkCache(async (id, offset, length) => {
    reads.push(`${id}/${offset}`)
    const failure = failures.shift()
    if (failure !== undefined) throw failure
    return new Uint8Array(length)
  })
  return { cache, reads, failures }
}
