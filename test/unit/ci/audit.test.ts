import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTemporaryFolder, type TemporaryFolder } from '../../support/temporary-folder.ts'

const SCRIPT = resolve(import.meta.dirname, '../../../.ci/audit.js')
const ADVISORY = 'GHSA-aaaa-bbbb-cccc'

describe('.ci/audit.js', () => {
  let folder: TemporaryFolder

  beforeAll(async () => {
    folder = await createTemporaryFolder()
  })
  afterAll(() => folder[Symbol.asyncDispose]())

  it('should fail on a grave advisory that nobody has named', () => {
    expect(audit(reportOf('high'))).toMatchObject({
      status: 1,
      stdout: expect.stringContaining(`NEW  ${ADVISORY}`),
    })
    expect(audit(reportOf('critical')).status).toBe(1)
  })

  it('should pass with none, and with those that are not grave', () => {
    expect(audit({ vulnerabilities: {} }).status).toBe(0)
    expect(audit(reportOf('moderate')).status).toBe(0)
  })

  it('should pass with one that is named, until the day on which somebody looks again', () => {
    const exception = { advisory: ADVISORY, reason: 'only in tests' }
    expect(audit(reportOf('high'), [{ ...exception, until: '2999-01-01' }])).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('only in tests'),
    })
    expect(audit(reportOf('high'), [{ ...exception, until: '2020-01-01' }])).toMatchObject({
      status: 1,
      stdout: expect.stringContaining('OVERDUE'),
    })
  })

  it('should want a reason', () => {
    const exception = { advisory: ADVISORY, reason: '', until: '2999-01-01' }
    expect(audit(reportOf('high'), [exception]).status).toBe(1)
  })

  it('should say, and fail nothing, when the registry answers no audits', () => {
    expect(audit({ message: '405 Method Not Allowed' })).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('405 Method Not Allowed'),
    })
  })

  function audit(report: object, exceptions: readonly object[] = []) {
    const [file, known] = [join(folder.path, 'report.json'), join(folder.path, 'known.json')]
    writeFileSync(file, JSON.stringify(report))
    writeFileSync(known, JSON.stringify({ exceptions }))
    return spawnSync(process.execPath, [SCRIPT, file], {
      encoding: 'utf8',
      env: { ...process.env, AUDIT_EXCEPTIONS: known },
    })
  }
})

function reportOf(severity: string) {
  const url = `https://github.com/advisories/${ADVISORY}`
  const cause = { name: 'left', range: '<2', title: 'it leaks', severity, url }
  return {
    vulnerabilities: { left: { severity, via: [cause] }, right: { severity, via: ['left'] } },
  }
}
