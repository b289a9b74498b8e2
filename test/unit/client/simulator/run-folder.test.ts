import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { newRunFolder } from '../../../../client/simulator/run-folder.ts'
import { createTemporaryFolder, type TemporaryFolder } from '../../../support/temporary-folder.ts'

describe('newRunFolder', () => {
  const home = process.cwd()
  let folder: TemporaryFolder

  beforeEach(async () => {
    folder = await createTemporaryFolder()
    process.chdir(folder.path)
  })

  afterEach(async () => {
    process.chdir(home)
    await folder[Symbol.asyncDispose]()
  })

  it('should be named after the command and the local time', () => {
    const made = newRunFolder('demo', new Date(2026, 2, 4, 5, 6, 7))
    expect(made).toBe(join('runs', 'demo-2026-03-04-050607'))
    expect(existsSync(made)).toBe(true)
  })

  it('should number what begins in the same second', () => {
    const now = new Date(2026, 2, 4, 5, 6, 7)
    const names = [1, 2, 3].map(() => newRunFolder('simulate', now))
    expect(names.map((name) => name.split('050607')[1])).toEqual(['', '-2', '-3'])
    expect(newRunFolder('demo', now)).toMatch(/050607$/)
  })
})
