import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { install } from '../../../../shared/engine/install.ts'
import { isComplete } from '../../../../shared/engine/native-cache.ts'
import { createTemporaryFolder } from '../../../support/temporary-folder.ts'

describe('install', () => {
  it('should move a whole build into place', async () => {
    await using cache = await createTemporaryFolder()
    const folder = join(cache.path, 'engine', 'build')
    await install(folder, {}, async (staging) => {
      expect(isComplete(folder)).toBe(false)
      writeFileSync(join(staging, 'addon'), 'whole')
    })
    expect(isComplete(folder)).toBe(true)
    expect(readFileSync(join(folder, 'addon'), 'utf8')).toBe('whole')
    expect(readdirSync(join(cache.path, 'engine'))).toEqual(['build'])
  })

  it('should leave nothing behind when the build fails', async () => {
    await using cache = await createTemporaryFolder()
    const failing = install(join(cache.path, 'build'), {}, async (staging) => {
      writeFileSync(join(staging, 'addon'), 'half')
      throw new Error('no compiler')
    })
    await expect(failing).rejects.toThrow('no compiler')
    expect(readdirSync(cache.path)).toEqual([])
  })

  it('should not count a build that was aborted at its very end', async () => {
    await using cache = await createTemporaryFolder()
    const controller = new AbortController()
    const aborted = install(join(cache.path, 'build'), { signal: controller.signal }, async () => {
      controller.abort(new Error('Ctrl-C'))
    })
    await expect(aborted).rejects.toThrow('Ctrl-C')
    expect(readdirSync(cache.path)).toEqual([])
  })

  it('should keep the build of the first of two that run at once', async () => {
    await using cache = await createTemporaryFolder()
    const folder = join(cache.path, 'build')
    const build = (name: string) =>
      install(folder, {}, async (staging) => {
        if (name === 'second') await first
        writeFileSync(join(staging, 'addon'), name)
      })
    const first: Promise<void> = build('first')
    await Promise.all([first, build('second')])
    expect(readFileSync(join(folder, 'addon'), 'utf8')).toBe('first')
    expect(readdirSync(cache.path)).toEqual(['build'])
  })

  it('should replace a folder that lacks the marker of a whole build', async () => {
    await using cache = await createTemporaryFolder()
    const folder = join(cache.path, 'build')
    mkdirSync(folder)
    writeFileSync(join(folder, 'half'), '')
    await install(folder, {}, async () => undefined)
    expect(isComplete(folder)).toBe(true)
    expect(existsSync(join(folder, 'half'))).toBe(false)
  })

  it('should sweep what a killed install left, but not what a living one builds', async () => {
    await using cache = await createTemporaryFolder()
    // No process has this number: Linux stops at 2^22.
    const dead = `.building-${hostname()}-${2 ** 30}-abc`
    const living = `.building-${hostname()}-${process.pid}-abc`
    for (const name of [dead, living]) mkdirSync(join(cache.path, name))
    await install(join(cache.path, 'build'), {}, async () => undefined)
    expect(readdirSync(cache.path).sort()).toEqual([living, 'build'])
  })
})
