import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openBlobs } from '../../../../server/store/blobs.ts'
import { saveModelFile } from '../../../../server/store/save-model-file.ts'
import { createTemporaryFolder } from '../../../support/temporary-folder.ts'
import { hashOf } from '../../../support/toy-run.ts'

describe('saveModelFile', () => {
  it('should lay a model where people look for it, sorted by round', async () => {
    await using folder = await createTemporaryFolder()
    const blobs = await openBlobs(join(folder.path, 'blobs'))
    const id = await blobs.put(Uint8Array.of(1, 2, 3))
    const models = join(folder.path, 'models')
    const file = await saveModelFile(blobs, id, models, 2)
    await saveModelFile(blobs, id, models, 10)
    expect(file).toBe(join(models, 'round-002.safetensors'))
    expect([...(await readFile(file))]).toEqual([1, 2, 3])
    expect((await readdir(models)).sort()).toEqual([
      'round-002.safetensors',
      'round-010.safetensors',
    ])
  })

  it('should replace the file of a round that is published again', async () => {
    await using folder = await createTemporaryFolder()
    const blobs = await openBlobs(join(folder.path, 'blobs'))
    const models = join(folder.path, 'models')
    await saveModelFile(blobs, await blobs.put(Uint8Array.of(1)), models, 1)
    const file = await saveModelFile(blobs, await blobs.put(Uint8Array.of(2)), models, 1)
    expect([...(await readFile(file))]).toEqual([2])
  })

  it('should leave what was there when it fails, and no draft', async () => {
    await using folder = await createTemporaryFolder()
    const blobs = await openBlobs(join(folder.path, 'blobs'))
    const models = join(folder.path, 'models')
    await mkdir(models)
    await writeFile(join(models, 'round-001.safetensors'), 'before')
    const missing = hashOf(Uint8Array.of(9))
    await expect(saveModelFile(blobs, missing, models, 1)).rejects.toMatchObject({
      code: 'GRAFT_FILE_UNREADABLE',
    })
    expect(await readdir(models)).toEqual(['round-001.safetensors'])
    expect(await readFile(join(models, 'round-001.safetensors'), 'utf8')).toBe('before')
  })

  it('should remove its draft when that cannot take the place', async () => {
    await using folder = await createTemporaryFolder()
    const blobs = await openBlobs(join(folder.path, 'blobs'))
    const models = join(folder.path, 'models')
    await mkdir(join(models, 'round-001.safetensors'), { recursive: true })
    const model = await blobs.put(Uint8Array.of(1))
    await expect(saveModelFile(blobs, model, models, 1)).rejects.toThrow('GRAFT_')
    expect(await readdir(models)).toEqual(['round-001.safetensors'])
  })
})
