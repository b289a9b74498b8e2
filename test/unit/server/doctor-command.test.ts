import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import * as doctor from '../../../server/doctor.ts'
import { doctorCommand } from '../../../server/doctor-command.ts'
import { EXIT } from '../../../shared/errors.ts'
import { createTemporaryFolder } from '../../support/temporary-folder.ts'

vi.mock(import('../../../server/doctor.ts'))

const OK: doctor.Finding = { status: 'ok', subject: 'node', detail: 'It is there.' }
const PROBLEM: doctor.Finding = {
  status: 'problem',
  subject: 'database',
  detail: 'It is gone.',
  remedy: 'Bring it back.',
}

afterEach(() => {
  vi.restoreAllMocks()
})

describe('graft doctor', () => {
  it('should print a line for each finding and its remedy below', async () => {
    vi.spyOn(doctor, 'diagnose').mockResolvedValue([OK, { ...PROBLEM, status: 'note' }])
    const lines = (await run([])).split('\n')
    expect(lines).toHaveLength(4)
    expect(lines[0]).toMatch(/^ok +node +It is there\.$/)
    expect(lines[1]).toMatch(/^note +database +It is gone\.$/)
    expect(lines[2]).toMatch(/^ +→ Bring it back\.$/)
  })

  it('should end with the status of a machine that lacks something', async () => {
    vi.spyOn(doctor, 'diagnose').mockResolvedValue([OK, PROBLEM])
    await expect(run([])).rejects.toMatchObject({ exitStatus: EXIT.environment })
  })

  it('should write the findings as JSON, also when there is a problem', async () => {
    vi.spyOn(doctor, 'diagnose').mockResolvedValue([OK, PROBLEM])
    await using folder = await createTemporaryFolder()
    const file = join(folder.path, 'doctor.json')
    await writeFile(file, 'before')
    await expect(run(['--json', file])).rejects.toMatchObject({ exitStatus: EXIT.environment })
    const report: unknown = JSON.parse(await readFile(file, 'utf8'))
    expect(report).toEqual({ version: 1, findings: [OK, PROBLEM] })
  })

  it('should look where the options say', async () => {
    const diagnose = vi.spyOn(doctor, 'diagnose').mockResolvedValue([])
    await run(['--port', '80', '--home', 'here', '--database', 'postgres://db/graft'])
    expect(diagnose).toHaveBeenCalledWith({
      port: 80,
      home: 'here',
      databaseUrl: 'postgres://db/graft',
      bucketPlace: null,
    })
  })

  it('should mend only when it is told to', async () => {
    const diagnose = vi.spyOn(doctor, 'diagnose').mockResolvedValue([OK])
    const mend = vi.spyOn(doctor, 'mend').mockResolvedValue([OK])
    await run([])
    expect(mend).not.toHaveBeenCalled()
    diagnose.mockClear()
    await run(['--repair', '--home', 'here', '--shared', 'there'])
    expect(mend).toHaveBeenCalledWith({
      ...{ home: 'here', shared: 'there' },
      ...{ bucketPlace: null, databaseUrl: undefined },
    })
    expect(diagnose).not.toHaveBeenCalled()
  })

  it.each(['0', '65536', 'http'])('should refuse port %s', async (port) => {
    await expect(run(['--port', port])).rejects.toThrow(`--port "${port}" is not allowed`)
  })
})

// Helpers

/** What it prints, without colours. */
async function run(words: string[]): Promise<string> {
  let printed = ''
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += String(text)
    return true
  })
  // A command of commander keeps what it was given last.
  for (const { attributeName } of doctorCommand.options.map((option) => ({
    attributeName: option.attributeName(),
  }))) {
    doctorCommand.setOptionValue(attributeName, undefined)
  }
  await doctorCommand.parseAsync(words, { from: 'user' })
  return printed
}
