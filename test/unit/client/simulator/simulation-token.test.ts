import { readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { simulationToken } from '../../../../client/simulator/simulation-token.ts'
import { createTemporaryFolder } from '../../../support/temporary-folder.ts'

describe('simulationToken', () => {
  it('should be the same every time, and for its owner alone', async () => {
    await using folder = await createTemporaryFolder()
    const cache = join(folder.path, 'cache')
    const first = await simulationToken(cache)
    expect(first).toMatch(/^[\w-]{32}$/)
    expect(await simulationToken(cache)).toBe(first)
    expect(await readdir(cache)).toEqual(['simulation-token'])
    expect((await stat(join(cache, 'simulation-token'))).mode & 0o777).toBe(0o600)
  })

  it('should serve once where nothing can be kept', async () => {
    await using folder = await createTemporaryFolder()
    const file = join(folder.path, 'no-folder')
    await writeFile(file, '')
    const [first, second] = [await simulationToken(file), await simulationToken(file)]
    expect(first).toMatch(/^[\w-]{32}$/)
    expect(second).not.toBe(first)
  })
})
