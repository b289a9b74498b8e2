import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Command } from 'commander'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { auditCommand } from '../../../../server/store/audit-command.ts'
import { openStore } from '../../../../server/store/open-store.ts'
import { createTemporaryFolder, type TemporaryFolder } from '../../../support/temporary-folder.ts'

describe('graft audit export', () => {
  let folder: TemporaryFolder

  beforeAll(async () => {
    vi.stubEnv('DATABASE_URL', '')
    folder = await createTemporaryFolder()
    const store = await openStore({ databaseUrl: undefined, folder: folder.path })
    for (const action of ['run:begun', 'run:paused', 'run:resumed']) {
      await store.audit({ actor: 'operator:a', action, details: { n: 1 } })
    }
    await store.close()
  })
  afterAll(async () => {
    vi.unstubAllEnvs()
    await folder[Symbol.asyncDispose]()
  })

  it('should write one object a line, oldest first', async () => {
    const lines = (await graft()).trim().split('\n')
    const entries = lines.map((line) => JSON.parse(line) as { action: string })
    expect(entries.map(({ action }) => action)).toEqual(['run:begun', 'run:paused', 'run:resumed'])
    expect(entries[0]).toMatchObject({ actor: 'operator:a', details: { n: 1 } })
  })

  it('should write a file for its owner alone', async () => {
    const file = join(folder.path, 'audit.ndjson')
    expect(await graft('--json', file)).toContain('3 entries')
    expect((await readFile(file, 'utf8')).trim().split('\n')).toHaveLength(3)
    expect(((await stat(file)).mode & 0o777).toString(8)).toBe('600')
  })

  it('should leave out what is older than it was asked for', async () => {
    expect(await graft('--since', '2999-01-01')).toBe('')
    expect((await graft('--since', '2020-01-01T00:00:00Z')).trim().split('\n')).toHaveLength(3)
    await expect(graft('--since', 'yesterday')).rejects.toMatchObject({
      code: 'GRAFT_OPTION_INVALID',
    })
  })

  async function graft(...words: string[]): Promise<string> {
    let output = ''
    const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      output += String(text)
      return true
    })
    const where = ['--home', folder.path]
    await new Command('graft')
      .addCommand(auditCommand)
      .parseAsync(['audit', 'export', ...words, ...where], { from: 'user' })
    write.mockRestore()
    return output
  }
})
