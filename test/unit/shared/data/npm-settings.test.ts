import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { npmSettings, parseNpmSettings } from '../../../../shared/data/npm-settings.ts'
import { createTemporaryFolder } from '../../../support/temporary-folder.ts'

afterEach(() => {
  vi.unstubAllEnvs()
})

describe('npmSettings', () => {
  it('should be those of the user’s npm, from the environment and from .npmrc', async () => {
    await using folder = await createTemporaryFolder()
    const file = join(folder.path, '.npmrc')
    writeFileSync(file, 'noproxy=mirror.test\nstrict-ssl=false\nfetch-timeout=1234\n')
    vi.stubEnv('npm_config_userconfig', file)
    vi.stubEnv('npm_config_registry', 'http://mirror.test/npm/')
    const settings = await npmSettings()
    expect(settings).toMatchObject({
      registry: 'http://mirror.test/npm/',
      noProxy: 'mirror.test',
      strictSSL: false,
      timeout: 1234,
    })
  })

  it('should be none where there is no npm', async () => {
    vi.stubEnv('PATH', '')
    expect(await npmSettings()).toEqual({})
  })
})

describe('parseNpmSettings', () => {
  it('should leave out what is not set, and every line that is no setting', async () => {
    const output = [
      'npm warn something',
      'registry=http://a.test/',
      ...['proxy=null', 'https-proxy=http://b.test:8080', 'noproxy=', 'cafile=null'],
      ...['strict-ssl=true', 'fetch-timeout=undefined'],
    ].join('\n')
    expect(await parseNpmSettings(output)).toEqual({
      registry: 'http://a.test/',
      httpsProxy: 'http://b.test:8080',
    })
  })

  it('should hold the certificates that cafile names', async () => {
    await using folder = await createTemporaryFolder()
    const cafile = join(folder.path, 'ca.pem')
    writeFileSync(cafile, 'a certificate')
    expect(await parseNpmSettings(`cafile=${cafile}`)).toEqual({ ca: 'a certificate' })
  })
})
