import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { RunReport } from '../../shared/protocol/run-report.ts'
import { plainPng, writeFiles } from '../support/data-files.ts'
import { runGraft, startGraft } from '../support/graft-process.ts'
import { createTemporaryFolder } from '../support/temporary-folder.ts'

const TOKEN = 'graft_a-join-token-of-the-test'
const SHORT = ['--local-epochs', '3', '--tune-epochs', '3', '--engine', 'wasm', '--seed', '7']

describe('data of the user’s own', () => {
  it('should train two clients with folders of images, one of which lacks a class', async () => {
    await using folder = await createTemporaryFolder()
    await writeFiles(folder.path, await shades('public', ['dark', 'light', 'mid'], 20))
    await writeFiles(folder.path, await shades('a', ['dark', 'mid'], 12))
    await writeFiles(folder.path, await shades('b', ['light', 'mid'], 12))
    await using coordinator = startGraft([
      ...['coordinator', '--data', join(folder.path, 'public'), '--model', 'mlp:16-8-3'],
      ...['--proxy', '15', '--join-token', TOKEN, '--home', join(folder.path, 'home')],
      ...['--port', '0', '--json', ...SHORT],
    ])
    const [, url = ''] = await coordinator.printed(/Listening on (\S+)\./)
    const client = (...words: string[]) =>
      runGraft(['client', '--server', url, '--engine', 'wasm', ...words], { GRAFT_TOKEN: TOKEN })

    await writeFiles(folder.path, { 'other/mid/1.png': await plainPng(8, 8, [1]) })
    const other = join(folder.path, 'other')
    const misfit = await client('--data', other, '--name', 'c')
    expect(misfit.status).toBe(4)
    expect(misfit.stderr).toMatch(/Give --image-size 4x4 --channels 1.*\(GRAFT_DATA_MISMATCH\)/)
    const nameless = await client('--shard', '0/2')
    expect(nameless.stderr).toMatch(
      /coordinator's own data, public: .*\(dark, light, mid\).*--data PATH/,
    )

    const clients = await Promise.all(
      ['a', 'b'].map((name) => client('--data', join(folder.path, name), '--name', name)),
    )
    for (const { status, stderr, stdout } of clients) {
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
      expect(stdout).toMatch(
        /folder of images: 20 examples to train, 4 to test; inputs \[4, 4, 1\], 3 classes/,
      )
    }
    const { status, stdout } = await coordinator.finished
    expect(status).toBe(0)
    const report = RunReport.parse(JSON.parse(stdout))
    expect(report.dataset).toBe('public')
    expect(report.settings?.data).toMatchObject({ classNames: ['dark', 'light', 'mid'] })
    expect(
      report.rounds[0]!.parents.map(({ client: id, numExamples }) => [id, numExamples]),
    ).toEqual([
      ['a', 20],
      ['b', 20],
    ])
    expect(JSON.stringify(report)).not.toContain(folder.path)
  })

  it('should simulate on a table, the same twice, and fuse and judge by it', async () => {
    await using folder = await createTemporaryFolder()
    const row = (i: number) =>
      `${(i * 37) % 11},${i % 2 === 0 ? 'red' : 'blue'},${(i * 37) % 11 > 5 ? 'yes' : 'no'}`
    const table = `x,colour,answer\n${Array.from({ length: 220 }, (_, i) => row(i)).join('\n')}\n`
    await writeFiles(folder.path, { 'table.csv': table })
    const data = ['--data', join(folder.path, 'table.csv')]
    const models: string[] = []
    for (const name of ['first', 'second']) {
      const home = join(folder.path, name)
      const words = [...data, '--model', 'mlp:3-8-2', '--proxy', '40', '--home', home, ...SHORT]
      const { status, stderr, stdout } = await runGraft(['simulate', ...words])
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
      expect(stdout).toMatch(/Data: table, table: 176 examples to train, 44 to test/)
      models.push(join(home, 'models', 'round-001.safetensors'))
    }
    const out = join(folder.path, 'fused.safetensors')
    const method = [
      '--method',
      'fedavg',
      '--proxy',
      '20',
      '--out',
      out,
      '--json',
      '--engine',
      'wasm',
    ]
    const fused = await runGraft(['fuse', ...models, ...data, ...method])
    expect(fused.status).toBe(0)
    const report = JSON.parse(fused.stdout) as {
      test: string
      proxy: unknown
      parents: { accuracy: number }[]
    }
    expect(report).toMatchObject({ test: 'table', proxy: { dataset: 'table', examples: 20 } })
    expect(report.parents[0]!.accuracy).toBe(report.parents[1]!.accuracy)
    const both = await runGraft(['fuse', ...models, ...data, '--test', 'mnist'])
    expect(both.status).toBe(2)
    expect(both.stderr).toMatch(/--test mnist and --data .* both say what the examples are/)
  })

  it('should refuse a simulation whose clients would find nothing, before it opens a database', async () => {
    await using folder = await createTemporaryFolder()
    const rows = Array.from({ length: 50 }, (_, i) => `${i},${i % 2 === 0 ? 'even' : 'odd'}`)
    await writeFiles(folder.path, { 'table.csv': `x,y\n${rows.join('\n')}\n` })
    const data = ['--data', join(folder.path, 'table.csv'), '--model', 'mlp:1-4-2']
    const home = join(folder.path, 'home')
    for (const [proxy, clients, left] of [
      ['40', '2', 0],
      ['20', '30', 20],
    ] as const) {
      const words = [...data, '--proxy', proxy, '--clients', clients, '--home', home]
      const { status, stderr } = await runGraft(['simulate', ...words, ...SHORT])
      expect(stderr).toMatch(
        new RegExp(`^graft: ${left} examples are too few for ${clients} clients.*_INVALID\\)\\n$`),
      )
      expect(status).toBe(2)
      expect(existsSync(join(home, 'db'))).toBe(false)
    }
  })
})

// Helpers

const LEVELS = { dark: 20, mid: 120, light: 220 }

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
