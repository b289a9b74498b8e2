import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { diagnose, type Finding } from '../../../server/doctor.ts'
import { openStore } from '../../../server/store/open-store.ts'
import { createTemporaryFolder } from '../../support/temporary-folder.ts'

afterEach(() => {
  vi.unstubAllEnvs()
})

describe('diagnose', () => {
  it('should find no problem where Graft runs, and leave the database closed', async () => {
    await using folder = await createTemporaryFolder()
    vi.stubEnv('GRAFT_CACHE', join(folder.path, 'cache'))
    const findings = await diagnose({
      port: 0,
      home: folder.path,
      databaseUrl: undefined,
      bucketPlace: null,
    })
    expect(findings.map(({ subject }) => subject)).toEqual([
      'node',
      'engine',
      'native',
      'webgpu',
      'wasm',
      'mnist',
      'fashion-mnist',
      'cifar10',
      'database',
      'port',
    ])
    expect(findings.filter(({ status }) => status === 'problem')).toEqual([])
    expect(find(findings, 'node').detail).toContain(process.versions.node)
    expect(find(findings, 'mnist').detail).toMatch(/^60000 .* 10000 /)
    // Looking downloads nothing.
    expect(find(findings, 'cifar10')).toMatchObject({
      status: 'note',
      remedy: expect.stringContaining('graft data fetch cifar10'),
    })
    const store = await openStore({ databaseUrl: undefined, folder: folder.path })
    await store.close()
  })

  it('should say what is wrong with each thing, and what to do', async () => {
    await using folder = await createTemporaryFolder()
    const home = join(folder.path, 'home')
    await writeFile(home, 'a file where a folder belongs')
    vi.stubEnv('GRAFT_ENGINE', 'abacus')
    const busy = createServer().listen(0, '127.0.0.1')
    await once(busy, 'listening')
    const { port } = busy.address() as AddressInfo
    const findings = await diagnose({ port, home, databaseUrl: undefined, bucketPlace: null })
    busy.close()

    expect(find(findings, 'database')).toMatchObject({
      status: 'problem',
      remedy: expect.stringMatching(/\.$/),
    })
    expect(find(findings, 'engine')).toMatchObject({
      status: 'problem',
      detail: expect.stringMatching(/^GRAFT_ENGINE "abacus" is not allowed/),
    })
    // A coordinator that runs has it: worth a note, not a failure.
    expect(find(findings, 'port')).toMatchObject({
      status: 'note',
      remedy: expect.stringContaining('--port'),
    })
  })
})

// Helpers

function find(findings: readonly Finding[], subject: string): Finding {
  return findings.find((finding) => finding.subject === subject)!
}
