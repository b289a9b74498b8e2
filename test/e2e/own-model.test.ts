import { execFile } from 'node:child_process'
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { RunReport } from '../../shared/protocol/run-report.ts'
import { plainPng, writeFiles } from '../support/data-files.ts'
import { runGraft, startGraft } from '../support/graft-process.ts'
import { createTemporaryFolder } from '../support/temporary-folder.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const TOKEN = 'graft_a-join-token-of-the-test'
const LEVELS = { dark: 20, light: 200 } as const

describe('a model of the user’s own', () => {
  it('should be trained by two clients, published, and used by the program of the README', async () => {
    await using project = await createTemporaryFolder()
    const at = (...names: string[]) => join(project.path, ...names)
    await writeFiles(project.path, {
      ...(await shades('public', ['dark', 'light'], 20)),
      ...(await shades('a', ['dark', 'light'], 12)),
      ...(await shades('b', ['light'], 12)),
      'shade-net.json': JSON.stringify(TOPOLOGY),
    })
    await using coordinator = startGraft([
      ...['coordinator', '--data', at('public'), '--model', at('shade-net.json'), '--proxy', '10'],
      ...['--join-token', TOKEN, '--home', at('graft-data'), '--port', '0', '--engine', 'wasm'],
      ...['--local-epochs', '10', '--tune-epochs', '10', '--learning-rate', '0.01'],
    ])
    const [, url = ''] = await coordinator.printed(/Listening on (\S+)\./)
    const clients = await Promise.all(
      ['a', 'b'].map((name) =>
        runGraft(
          ['client', '--server', url, '--engine', 'wasm', '--data', at(name), '--name', name],
          { GRAFT_TOKEN: TOKEN },
        ),
      ),
    )
    for (const { status, stderr } of clients)
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    const { status, stdout } = await coordinator.finished
    expect(status).toBe(0)
    expect(stdout).toMatch(/The softmax that shade-net ends in is left out/)
    expect(stdout).toMatch(/The regularisers of shade-net are not heeded \(layers hidden\)/)
    const text = await readFile(at('graft-data', 'report.json'), 'utf8')
    const report = RunReport.parse(JSON.parse(text))
    expect(report.model).toBe('shade-net')
    expect(report.settings?.topology).toMatch(/^{"class_name":"Sequential"/)
    expect(text).not.toContain(project.path)

    await mkdir(at('node_modules', '@tensorflow'), { recursive: true })
    await symlink(ROOT, at('node_modules', 'graft'))
    for (const name of ['@tensorflow/tfjs', 'sharp'])
      await symlink(join(ROOT, 'node_modules', name), at('node_modules', name))
    const readme = await readFile(join(ROOT, 'README.md'), 'utf8')
    const [, program = ''] = /## Your own model[^]*?```js\n([^]*?)```/.exec(readme) ?? []
    expect(program).toContain('readLayersModel')
    await writeFile(at('use.mjs'), program.replace("'auto'", "'wasm'"))
    for (const [name, level] of Object.entries(LEVELS)) {
      await writeFile(at('flower.png'), await plainPng(8, 8, [level + 5, level + 5, level + 5]))
      const used = await promisify(execFile)('node', [at('use.mjs')], { cwd: project.path })
      expect(used.stdout).toBe(`${name}\n`)
    }
  })
})

// Helpers

const DECAY = { class_name: 'L1L2', config: { l1: 0, l2: 0.001 } }

const TOPOLOGY = {
  class_name: 'Sequential',
  config: {
    name: 'shades',
    layers: [
      { class_name: 'Flatten', config: { name: 'flat', batch_input_shape: [null, 4, 4, 1] } },
      {
        class_name: 'Dense',
        config: { name: 'hidden', units: 8, activation: 'relu', kernel_regularizer: DECAY },
      },
      { class_name: 'Dense', config: { name: 'classes', units: 2, activation: 'softmax' } },
    ],
  },
}

/** Images of 4x4 in shades of grey, none the same. */
async function shades(place: string, classes: (keyof typeof LEVELS)[], count: number) {
  const files: Record<string, Uint8Array> = {}
  for (const name of classes) {
    for (let i = 0; i < count; i++) {
      files[`${place}/${name}/${i}.png`] = await plainPng(4, 4, [LEVELS[name] + i])
    }
  }
  return files
}
