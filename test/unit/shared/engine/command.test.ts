import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { engineCommand } from '../../../../shared/engine/command.ts'
import { createTemporaryFolder } from '../../../support/temporary-folder.ts'

describe('graft engine', () => {
  it('should list the engines as JSON', async () => {
    await using folder = await createTemporaryFolder()
    const file = join(folder.path, 'engines.json')
    await engineCommand.parseAsync(['list', '--json', file], { from: 'user' })
    const report: unknown = JSON.parse(await readFile(file, 'utf8'))
    expect(report).toMatchObject({
      version: 1,
      engines: [{ name: 'native' }, { name: 'webgpu' }, { name: 'wasm', usable: true }],
    })
  })

  it('should offer install and list', () => {
    expect(engineCommand.commands.map((command) => command.name())).toEqual(['install', 'list'])
  })
})
