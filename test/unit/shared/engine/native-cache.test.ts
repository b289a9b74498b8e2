import { lstatSync, mkdirSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  COMPLETE_MARKER,
  findTfjsNode,
  isComplete,
  linkNative,
  nativeCacheFolder,
} from '../../../../shared/engine/native-cache.ts'
import { createTemporaryFolder } from '../../../support/temporary-folder.ts'

afterEach(() => {
  vi.unstubAllEnvs()
})

describe('findTfjsNode', () => {
  it('should find the package without loading its addon', () => {
    expect(findTfjsNode()?.version).toMatch(/^4\./)
  })
})

describe('nativeCacheFolder', () => {
  it('should lie under GRAFT_CACHE and name what the build depends on', () => {
    vi.stubEnv('GRAFT_CACHE', '/cache')
    const folder = nativeCacheFolder('4.22.0')
    expect(folder.startsWith(join('/cache', 'engine'))).toBe(true)
    for (const part of ['4.22.0', 'tensorflow-', process.platform, process.arch]) {
      expect(folder).toContain(part)
    }
    expect(nativeCacheFolder('4.23.0')).not.toBe(folder)
  })
})

describe('isComplete', () => {
  it('should not count a folder without its marker', async () => {
    await using folder = await createTemporaryFolder()
    mkdirSync(join(folder.path, 'lib'))
    expect(isComplete(folder.path)).toBe(false)
    writeFileSync(join(folder.path, COMPLETE_MARKER), '{}')
    expect(isComplete(folder.path)).toBe(true)
  })
})

describe('linkNative', () => {
  it('should link deps and lib, and link again to another build', async () => {
    await using folder = await createTemporaryFolder()
    const tfjsNode = { folder: folder.path, version: '4.22.0' }
    linkNative(tfjsNode, '/builds/old')
    linkNative(tfjsNode, '/builds/new')
    linkNative(tfjsNode, '/builds/new')
    expect(readlinkSync(join(folder.path, 'deps'))).toBe(join('/builds/new', 'deps'))
    expect(readlinkSync(join(folder.path, 'lib'))).toBe(join('/builds/new', 'lib'))
  })

  it("should leave somebody's own build alone", async () => {
    await using folder = await createTemporaryFolder()
    mkdirSync(join(folder.path, 'lib'))
    linkNative({ folder: folder.path, version: '4.22.0' }, '/builds/new')
    expect(lstatSync(join(folder.path, 'lib')).isDirectory()).toBe(true)
  })
})
