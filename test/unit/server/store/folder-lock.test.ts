import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { lockFolder } from '../../../../server/store/folder-lock.ts'
import { createTemporaryFolder } from '../../../support/temporary-folder.ts'

describe('lockFolder', () => {
  it('should be had once, hold the pid, and be free after release', async () => {
    await using folder = await createTemporaryFolder()
    const path = join(folder.path, 'db.lock')
    const lock = await lockFolder(path, 'It')

    expect(await readFile(path, 'utf8')).toBe(`${process.pid}\n`)
    await expect(lockFolder(path, 'It')).rejects.toThrow(
      new RegExp(`^It is in use by process ${process.pid}\\..*GRAFT_DATABASE_BUSY`),
    )
    await lock.release()
    expect(await readdir(folder.path)).toEqual([])
    await (await lockFolder(path, 'It')).release()
  })

  it('should not be freed by a second release of an older lock', async () => {
    await using folder = await createTemporaryFolder()
    const path = join(folder.path, 'db.lock')
    const first = await lockFolder(path, 'It')
    await first.release()
    const second = await lockFolder(path, 'It')
    await first.release()

    await expect(lockFolder(path, 'It')).rejects.toMatchObject({ code: 'GRAFT_DATABASE_BUSY' })
    await second.release()
  })

  it('should respect a process that lives and take over from one that died', async () => {
    await using folder = await createTemporaryFolder()
    const path = join(folder.path, 'db.lock')
    const other = spawn(process.execPath, ['-e', 'process.stdin.resume()'])
    await once(other, 'spawn')
    await writeFile(path, `${other.pid ?? 0}\n`)

    await expect(lockFolder(path, 'It')).rejects.toThrow(`process ${other.pid ?? 0}`)
    other.kill()
    await once(other, 'exit')
    const lock = await lockFolder(path, 'It')
    expect(await readFile(path, 'utf8')).toBe(`${process.pid}\n`)
    await lock.release()
  })

  it('should take over a file that is empty, or that names the pid it has itself', async () => {
    await using folder = await createTemporaryFolder()
    const path = join(folder.path, 'db.lock')
    for (const content of ['', 'garbage', `${process.pid}\n`]) {
      await writeFile(path, content)
      const lock = await lockFolder(path, 'It')
      await lock.release()
      expect(await readdir(folder.path)).toEqual([])
    }
  })

  it('should refuse with the code it was given', async () => {
    await using folder = await createTemporaryFolder()
    const path = join(folder.path, 'coordinator.lock')
    const lock = await lockFolder(path, 'The folder', 'GRAFT_HOME_BUSY')
    await expect(lockFolder(path, 'The folder', 'GRAFT_HOME_BUSY')).rejects.toMatchObject({
      code: 'GRAFT_HOME_BUSY',
      problem: `The folder is in use by process ${process.pid}.`,
    })
    await lock.release()
  })

  it('should be had by exactly one of many that want it at once', async () => {
    await using folder = await createTemporaryFolder()
    const path = join(folder.path, 'db.lock')
    const answers = await Promise.allSettled(
      Array.from({ length: 8 }, () => lockFolder(path, 'It')),
    )

    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })
})
