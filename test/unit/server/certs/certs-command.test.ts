import { execFile } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Command } from 'commander'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { certsCommand } from '../../../../server/certs/certs-command.ts'
import { readKeyPair } from '../../../../shared/tls/certificate-file.ts'
import { createTemporaryFolder, type TemporaryFolder } from '../../../support/temporary-folder.ts'

const hasOpenssl = existsSync('/usr/bin/openssl')

describe('graft certs', () => {
  let folder: TemporaryFolder
  let dir: string

  beforeEach(async () => {
    folder = await createTemporaryFolder()
    dir = join(folder.path, 'certs')
  })
  afterEach(async () => {
    vi.restoreAllMocks()
    await folder[Symbol.asyncDispose]()
  })

  it('should make an authority, and what it signs, with keys for their owner alone', async () => {
    await graft('ca')
    await graft('server', '--host', 'localhost,10.0.0.5')
    await graft('client', 'ada')
    expect(await modeOf(dir)).toBe('700')
    for (const name of ['ca', 'server', 'client-ada']) {
      expect(await modeOf(join(dir, `${name}-key.pem`))).toBe('600')
      expect(await modeOf(join(dir, `${name}.pem`))).toBe('644')
      await readKeyPair(join(dir, `${name}.pem`), join(dir, `${name}-key.pem`))
    }
  })

  it('should say until when it is valid and what to do with it', async () => {
    await graft('ca', '--days', '500')
    const said = await graft('server', '--host', 'localhost', '--days', '90')
    expect(said).toMatch(/Valid until 20.*, (89|90) days from now/)
    expect(said).toContain('--tls-cert')
    expect(said).toContain('For localhost.')
  })

  it('should overwrite nothing, unless told so', async () => {
    await graft('ca')
    const before = await readFile(join(dir, 'ca-key.pem'), 'utf8')
    await expect(graft('ca')).rejects.toMatchObject({
      code: 'GRAFT_OPTION_INVALID',
      problem: expect.stringContaining('--replace'),
    })
    expect(await readFile(join(dir, 'ca-key.pem'), 'utf8')).toBe(before)
    await graft('ca', '--replace')
    expect(await readFile(join(dir, 'ca-key.pem'), 'utf8')).not.toBe(before)
    expect(await modeOf(join(dir, 'ca-key.pem'))).toBe('600')
  })

  it('should say which command makes the authority that is missing', async () => {
    await expect(graft('server', '--host', 'localhost')).rejects.toMatchObject({
      code: 'GRAFT_OPTION_INVALID',
      problem: expect.stringContaining(`graft certs ca --dir ${dir}`),
    })
  })

  it.each([
    ['server', '--host', 'a b'],
    ['server', '--host', 'https://graft.example.org'],
    ['client', 'Ada Lovelace'],
    ['ca', '--days', '0'],
  ])('should refuse %s %s %s', async (...words) => {
    if (words[0] !== 'ca') await graft('ca')
    await expect(graft(...words)).rejects.toMatchObject({ code: 'GRAFT_OPTION_INVALID' })
  })

  it('should show a certificate, for people and for scripts', async () => {
    await graft('ca', '--name', 'Clinics')
    await graft('server', '--host', 'graft.example.org,::1', '--days', '10')
    const shown = await show(join(dir, 'server.pem'))
    expect(shown).toContain('Server graft.example.org, signed by Clinics.')
    expect(shown).toContain('renew it with --replace')
    const file = join(folder.path, 'report.json')
    await show(join(dir, 'server.pem'), '--json', file)
    const { certificates } = JSON.parse(await readFile(file, 'utf8')) as { certificates: object[] }
    const { fingerprint256 } = new X509Certificate(await readFile(join(dir, 'server.pem')))
    expect(certificates).toMatchObject([
      { kind: 'server', issuer: 'Clinics', state: 'ending', fingerprint: fingerprint256 },
    ])
  })

  it('should refuse to show what is no certificate', async () => {
    await graft('ca')
    await expect(show(join(dir, 'ca-key.pem'))).rejects.toMatchObject({
      code: 'GRAFT_CERTIFICATE_INVALID',
    })
  })

  it.runIf(hasOpenssl)('should make what OpenSSL finds in order (needs openssl)', async () => {
    await graft('ca')
    await graft('server', '--host', 'localhost')
    await graft('client', 'ada')
    const verify = (purpose: string, name: string) =>
      promisify(execFile)('/usr/bin/openssl', [
        ...['verify', '-x509_strict', '-purpose', purpose, '-CAfile', join(dir, 'ca.pem')],
        join(dir, `${name}.pem`),
      ])
    expect((await verify('sslserver', 'server')).stdout).toContain('OK')
    expect((await verify('sslclient', 'client-ada')).stdout).toContain('OK')
    await expect(verify('sslclient', 'server')).rejects.toThrow()
  })

  async function graft(...words: string[]): Promise<string> {
    return run(...words, '--dir', dir)
  }

  async function show(...words: string[]): Promise<string> {
    return run('show', ...words)
  }
})

// Helpers

async function run(...words: string[]): Promise<string> {
  let output = ''
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    output += String(text)
    return true
  })
  await new Command('graft')
    .addCommand(certsCommand)
    .parseAsync(['certs', ...words], { from: 'user' })
  vi.restoreAllMocks()
  return output
}

async function modeOf(path: string): Promise<string> {
  return ((await stat(path)).mode & 0o777).toString(8)
}
