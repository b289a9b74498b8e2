import { execFile } from 'node:child_process'
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { RunReport } from '../../shared/protocol/run-report.ts'
import { writeFiles } from '../support/data-files.ts'
import { runGraft, startGraft } from '../support/graft-process.ts'
import { createTemporaryFolder } from '../support/temporary-folder.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const TOKEN = 'graft_a-join-token-of-the-test'
const LABEL = ['--label', 'diagnosis']

describe('a table of the user’s own', () => {
  it.each([
    ['a network of Graft’s', 'mlp:7-16-3', 'mlp:7-16-3'],
    ['a module of the user’s own', 'my-net.mjs', 'my-net'],
  ])(
    'should train %s at two clients, and use it on rows by the lines of the README',
    async (_, model, name) => {
      await using project = await createTemporaryFolder()
      const at = (...names: string[]) => join(project.path, ...names)
      await writeFiles(project.path, {
        'public.csv': table(patients(0, 150), COLUMNS),
        // Columns in another order, a class that is missing, and a place that is.
        'anna/mine.csv': table(
          patients(200, 90).filter(({ diagnosis }) => diagnosis !== 'flu'),
          COLUMNS.toReversed(),
        ),
        'ben/patients.csv': table(
          patients(400, 90).filter(({ place }) => place !== 'island'),
          COLUMNS,
        ),
        'my-net.mjs': MODULE,
      })
      await using coordinator = startGraft([
        // All that is not held out: clients bring theirs.
        ...['coordinator', '--data', at('public.csv'), ...LABEL, '--proxy', '120'],
        ...['--model', model.endsWith('.mjs') ? at(model) : model, '--join-token', TOKEN],
        ...['--home', at('graft-data'), '--port', '0', '--engine', 'wasm'],
        ...['--local-epochs', '20', '--tune-epochs', '20', '--learning-rate', '0.02'],
      ])
      const [, url = ''] = await coordinator.printed(/Listening on (\S+)\./)
      const client = async (file: string, id: string) => {
        const words = ['--data', at(file), ...LABEL, '--name', id, '--engine', 'wasm']
        const ended = await runGraft(['client', '--server', url, ...words], { GRAFT_TOKEN: TOKEN })
        // At once: the other one would wait for it.
        expect(ended).toMatchObject({ status: 0, stderr: '' })
        expect(ended.stdout).toMatch(/table: \d+ examples to train, \d+ to test; inputs \[7\]/)
      }
      await Promise.all([client('anna/mine.csv', 'anna'), client('ben/patients.csv', 'ben')])
      const { status, stdout } = await coordinator.finished
      expect(status).toBe(0)
      expect(stdout).toMatch(/Columns read as categories, .*: cough \(2\), place \(3\)\./)
      const text = await readFile(at('graft-data', 'report.json'), 'utf8')
      expect(text).not.toContain(project.path)
      const report = RunReport.parse(JSON.parse(text))
      expect(report).toMatchObject({ dataset: 'public', model: name })
      expect(report.settings?.data?.columns).toEqual([
        { name: 'age' },
        { name: 'cough', categories: ['no', 'yes'] },
        { name: 'temperature' },
        { name: 'place', categories: ['city', 'island', 'village'] },
      ])
      const [anna, ben] = report.rounds[0]!.parents
      expect(anna!.classCounts).toEqual([expect.any(Number), 0, expect.any(Number)])
      expect(ben!.classCounts).not.toContain(0)
      expect(report.final.accuracy).toBeGreaterThan(0.9)

      await mkdir(at('node_modules', '@tensorflow'), { recursive: true })
      await symlink(ROOT, at('node_modules', 'graft'))
      await symlink(
        join(ROOT, 'node_modules', '@tensorflow/tfjs'),
        at('node_modules', '@tensorflow/tfjs'),
      )
      const program = await programOfReadme({ isBuiltIn: model === name })
      for (const { diagnosis, ...row } of RAW) {
        await writeFile(at('use.mjs'), program.replace(/const row = .*/, rowOf(row)))
        const used = await promisify(execFile)('node', [at('use.mjs')], { cwd: project.path })
        expect(used.stdout).toBe(`${diagnosis}\n`)
      }
    },
  )
})

// Helpers

interface Patient {
  readonly age: number
  readonly cough: 'yes' | 'no'
  readonly temperature: number
  readonly place: 'city' | 'island' | 'village'
  readonly diagnosis: 'cold' | 'flu' | 'healthy'
}

const COLUMNS = ['age', 'cough', 'diagnosis', 'temperature', 'place'] as const

/** Fever is flu, a cough alone a cold: one column of numbers decides, and one of words. */
const RAW: readonly Patient[] = [
  { age: 61, cough: 'no', temperature: 39.6, place: 'island', diagnosis: 'flu' },
  { age: 61, cough: 'yes', temperature: 36.7, place: 'village', diagnosis: 'cold' },
  { age: 34, cough: 'no', temperature: 36.6, place: 'city', diagnosis: 'healthy' },
]

const MODULE = `export function createModel(tf) {
  return tf.sequential({ layers: [
    tf.layers.dense({ units: 16, inputShape: [7], activation: 'relu' }),
    tf.layers.dense({ units: 3 }) ] })
}`

function patients(from: number, count: number): Patient[] {
  return Array.from({ length: count }, (_, i) => {
    const at = from + i
    const hasFever = at % 3 === 0
    const coughs = at % 5 < 2
    return {
      age: 20 + ((at * 37) % 60),
      cough: coughs ? 'yes' : 'no',
      temperature: (hasFever ? 38.8 : 36.4) + ((at * 7) % 10) / 10,
      place: (['city', 'island', 'village'] as const)[((at * 11) % 7) % 3]!,
      diagnosis: hasFever ? 'flu' : coughs ? 'cold' : 'healthy',
    }
  })
}

function table(rows: readonly Patient[], columns: readonly (keyof Patient)[]): string {
  const lines = rows.map((row) => columns.map((column) => row[column]).join(','))
  return `${[columns.join(','), ...lines].join('\n')}\n`
}

/** What its reader puts together: the first program, and the lines that it has for tables. */
async function programOfReadme({ isBuiltIn }: { isBuiltIn: boolean }): Promise<string> {
  const readme = await readFile(join(ROOT, 'README.md'), 'utf8')
  const [, ofImage = '', ofRow = ''] =
    /## Your own model[^]*?```js\n([^]*?)```[^]*?```js\n([^]*?)```/.exec(readme) ?? []
  const [open = ''] = /const model = .*\n/.exec(ofImage) ?? []
  expect(open).toContain('readLayersModel')
  const lines = isBuiltIn ? ofRow : ofRow.replace(/const model = [^]*?(?=const logits)/, open)
  return ofImage
    .replace(/import sharp.*\n/, '')
    .replace(/const image = [^]*?const logits = .*\n/, lines)
    .replace("'auto'", "'wasm'")
    .replace(
      '{ readLayersModel,',
      '{ buildModel, createRng, decodeSafetensors, parseArchitecture, readLayersModel, writeWeights,',
    )
}

const rowOf = (row: object): string => `const row = ${JSON.stringify(row)}`
