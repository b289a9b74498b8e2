import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readModelFile } from '../../../server/read-model-file.ts'
import { encodeSafetensors } from '../../../shared/model/safetensors.ts'
import { createTemporaryFolder } from '../../support/temporary-folder.ts'
import { hashOf, toyWeights } from '../../support/toy-run.ts'

describe('readModelFile', () => {
  it('should read the weights and name the file by its hash', async () => {
    await using folder = await createTemporaryFolder()
    const path = join(folder.path, 'model.safetensors')
    const bytes = encodeSafetensors(toyWeights('a'), {})
    await writeFile(path, bytes)
    expect(await readModelFile(path)).toMatchObject({
      id: hashOf(bytes),
      tensors: toyWeights('a'),
    })
  })

  it.each([
    { case: 'no file', bytes: null, code: 'GRAFT_FILE_UNREADABLE' },
    { case: 'an empty file', bytes: new Uint8Array(), code: 'GRAFT_MODEL_FILE_INVALID' },
    {
      case: 'a cut file',
      bytes: encodeSafetensors(toyWeights('a'), {}).subarray(0, -4),
      code: 'GRAFT_MODEL_FILE_INVALID',
    },
  ])('should refuse $case, naming it once', async ({ bytes, code }) => {
    await using folder = await createTemporaryFolder()
    const path = join(folder.path, 'model.safetensors')
    if (bytes !== null) await writeFile(path, bytes)
    const problem = await readModelFile(path).then(
      () => '',
      (error: unknown) => {
        expect(error).toMatchObject({ code })
        return (error as { problem: string }).problem
      },
    )
    expect(problem.split(path)).toHaveLength(2)
  })
})
