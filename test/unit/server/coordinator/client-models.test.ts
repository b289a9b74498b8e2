import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createClientModels } from '../../../../server/coordinator/client-models.ts'
import { openBlobs } from '../../../../server/store/blobs.ts'
import type { BlobStore } from '../../../../server/store/store.ts'
import { decodeModel } from '../../../../shared/model/encoded-model.ts'
import { encodeSafetensors } from '../../../../shared/model/safetensors.ts'
import { createTemporaryFolder } from '../../../support/temporary-folder.ts'
import { toyWeights } from '../../../support/toy-run.ts'

let folder: Awaited<ReturnType<typeof createTemporaryFolder>>
let blobs: BlobStore

beforeEach(async () => {
  folder = await createTemporaryFolder()
  blobs = await openBlobs(join(folder.path, 'blobs'))
})
afterEach(() => folder[Symbol.asyncDispose]())

const stored = (seed: string) => blobs.put(encodeSafetensors(toyWeights(seed), { format: 'graft' }))

describe('createClientModels', () => {
  it('should give clients the stored model itself in float32', async () => {
    const model = await stored('a')
    expect(await createClientModels(blobs, 'float32')(model)).toBe(model)
  })

  it('should encode a model once, and to the same blob after a restart', async () => {
    const model = await stored('a')
    const create = vi.spyOn(blobs, 'create')
    const clientModel = createClientModels(blobs, 'int8')
    const [first, second] = await Promise.all([clientModel(model), clientModel(model)])
    expect(first).toBe(second)
    expect(first).not.toBe(model)
    expect(create).toHaveBeenCalledOnce()
    expect(await createClientModels(blobs, 'int8')(model)).toBe(first)
    const { length } = decodeModel(await blobs.get(first), toyWeights('a'), 'int8')
    expect(length).toBe(toyWeights('a').length)
  })

  it('should remove encoded models that nobody has asked for in a while, and encode them anew', async () => {
    const models = await Promise.all(Array.from({ length: 10 }, (_, i) => stored(String(i))))
    const clientModel = createClientModels(blobs, 'float16')
    const encoded = []
    for (const model of models) {
      encoded.push(await clientModel(model))
      // An operator goes back to it all the time.
      await clientModel(models[0]!)
    }
    const there = await Promise.all(encoded.map((id) => blobs.has(id)))
    expect(there).toEqual([true, false, false, true, true, true, true, true, true, true])
    for (const model of models) expect(await blobs.has(model)).toBe(true)
    expect(await clientModel(models[1]!)).toBe(encoded[1])
    expect(await blobs.has(encoded[1]!)).toBe(true)
  })
})
