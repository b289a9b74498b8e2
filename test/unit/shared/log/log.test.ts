import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openLog, screenBeside, SILENT } from '../../../../shared/log/log.ts'
import { createTemporaryFolder } from '../../../support/temporary-folder.ts'

describe('openLog', () => {
  it('should add lines with time, level and role to a file, from its level on', async () => {
    await using folder = await createTemporaryFolder()
    const to = join(folder.path, 'deep', 'graft.jsonl')
    const before = Date.now()
    openLog({ to, level: 'info' }, 'client').debug({ event: 'not:told' })
    openLog({ to, level: 'info' }, 'client').info({ event: 'a:told', round: 3 })
    openLog({ to, level: 'debug' }, 'coordinator').debug({ event: 'b:told' })

    const lines = (await readFile(to, 'utf8')).trim().split('\n')
    const told = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(told).toMatchObject([
      { level: 'info', role: 'client', pid: process.pid, event: 'a:told', round: 3 },
      { level: 'debug', role: 'coordinator', event: 'b:told' },
    ])
    expect(Date.parse(String(told[0]!.time))).toBeGreaterThanOrEqual(before)
  })

  it('should leave out secrets that somebody hands it', async () => {
    await using folder = await createTemporaryFolder()
    const to = join(folder.path, 'graft.jsonl')
    const log = openLog({ to, level: 'info' }, 'client')
    log.info({ event: 'x', token: 'graft_one', auth: { token: 'graft_two' } })
    log.info({ event: 'x', request: { headers: { authorization: 'graft_three' } } })
    const text = await readFile(to, 'utf8')
    expect(text.trim().split('\n')).toHaveLength(2)
    expect(text).not.toContain('graft_')
  })

  it('should refuse a file that cannot be written', async () => {
    await using folder = await createTemporaryFolder()
    const file = join(folder.path, 'file')
    await writeFile(file, '')
    expect(() => openLog({ to: join(file, 'x'), level: 'info' }, 'client')).toThrow(
      /GRAFT_FILE_UNREADABLE/,
    )
  })

  it('should say nothing where no log is wanted', () => {
    expect(openLog({ to: undefined, level: 'debug' }, 'client')).toBe(SILENT)
    expect(SILENT.isLevelEnabled('error')).toBe(false)
  })
})

describe('screenBeside', () => {
  it('should leave stdout to a log that is there', () => {
    expect(screenBeside({ to: '-' })).toBe(process.stderr)
    expect(screenBeside({ to: 'file' })).toBe(process.stdout)
    expect(screenBeside({ to: undefined })).toBe(process.stdout)
  })
})
