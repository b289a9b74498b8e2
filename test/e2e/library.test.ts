import { execFile } from 'node:child_process'
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createTemporaryFolder, type TemporaryFolder } from '../support/temporary-folder.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const run = promisify(execFile)

let project: TemporaryFolder

// Someone's project, in which Graft and TensorFlow.js are installed.
beforeEach(async () => {
  project = await createTemporaryFolder()
  await mkdir(join(project.path, 'node_modules/@tensorflow'), { recursive: true })
  await symlink(ROOT, join(project.path, 'node_modules/graft'))
  for (const name of ['@tensorflow/tfjs', '@types']) {
    await symlink(join(ROOT, 'node_modules', name), join(project.path, 'node_modules', name))
  }
  await writeFile(join(project.path, 'package.json'), '{ "type": "module" }')
})
afterEach(() => project[Symbol.asyncDispose]())

describe('the library', () => {
  it('should run the example of the README', async () => {
    const readme = await readFile(join(ROOT, 'README.md'), 'utf8')
    const [, example = ''] = /## As a library\s+```js\n([^]*?)```/.exec(readme) ?? []
    expect(example).toContain("from 'graft'")
    const { stdout } = await node(example)
    const accuracy = (name: string) => Number(new RegExp(`^${name} (\\S+)`, 'm').exec(stdout)?.[1])
    expect(accuracy('low')).toBeGreaterThan(0.4)
    expect(accuracy('high')).toBeGreaterThan(0.4)
    expect(accuracy('fused')).toBeGreaterThan(Math.max(accuracy('low'), accuracy('high')))
  })

  it('should start, open, register and keep nothing when it is imported', async () => {
    const { stdout } = await node(`
      import { readdirSync } from 'node:fs'
      import * as tf from '@tensorflow/tfjs'
      const state = () => ({
        backend: tf.engine().backendName ?? null,
        backends: Object.keys(tf.engine().registryFactory).sort(),
        kernels: tf.getKernelsForBackend('cpu').length,
        layers: Object.keys(tf.serialization.SerializationMap.getMap().classNameMap).length,
        resources: process.getActiveResourcesInfo().filter((name) => name !== 'CloseReq'),
        files: process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0,
        listeners: process.eventNames().map((name) => [String(name), process.listenerCount(name)]),
        variables: { ...process.env },
      })
      // Node.js makes these when somebody first asks whether they are terminals.
      void [process.stdin, process.stdout, process.stderr]
      const before = state()
      await import('graft')
      console.log(JSON.stringify([before, state()]))
    `)
    const [before, after] = JSON.parse(stdout) as [Record<string, unknown>, unknown]
    expect(before['backend']).toBe(null)
    expect(after).toEqual(before)
  })

  it('should tell TypeScript its types', async () => {
    const settings = { module: 'NodeNext', target: 'ES2023', strict: true, noEmit: true }
    await writeFile(
      join(project.path, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: { ...settings, types: ['node'], skipLibCheck: true } }),
    )
    const check = async (line: string): Promise<string> => {
      const file = `
        import { fuse, type FuseParent, type Ledger, type NeuronGraph, neuronGraph } from 'graft'
        import type * as tf from '@tensorflow/tfjs'
        export async function main(model: tf.LayersModel, parents: FuseParent[]): Promise<Ledger> {
          const graph: NeuronGraph = neuronGraph(model)
          const { weights, ledger } = await fuse({ method: 'nt', model, parents, seed: 1 })
          const first: Float32Array = weights[0]!.data
          ${line}
          return ledger
        }
      `
      await writeFile(join(project.path, 'main.ts'), file)
      const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
      return run(process.execPath, [tsc], { cwd: project.path }).then(
        () => '',
        (failed: unknown) => (failed as { stdout: string }).stdout,
      )
    }
    expect(await check('')).toBe('')
    // Had the types not been found, everything would be allowed.
    expect(await check('const wrong: string = graph.groups[0]!.width')).toContain('TS2322')
    expect(await check('await fuse({ method: 1, model, parents })')).toContain('TS2322')
  })
})

// Helpers

/** Runs a module in the project. */
async function node(source: string) {
  await writeFile(join(project.path, 'main.mjs'), source)
  return run(process.execPath, ['main.mjs'], { cwd: project.path })
}
