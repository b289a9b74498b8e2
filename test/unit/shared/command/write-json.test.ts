import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { writeJson } from '../../../../shared/command/write-json.ts'
import { fakeStream } from '../../../support/fake-stream.ts'

describe('writeJson', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'json-'))
  })
  afterAll(() => rm(folder, { recursive: true }))

  it('should write to stdout when no file is named', async () => {
    const stdout = fakeStream()
    await writeJson({ a: ['b'] }, true, stdout)
    expect(stdout.take()).toBe('{\n  "a": [\n    "b"\n  ]\n}\n')
  })

  it('should put numbers on one line, a fused neuron of a ledger too', async () => {
    const stdout = fakeStream()
    const neurons = [
      [
        [0, 17, 0.62, null],
        [1, 5, 0.38, -1e-7],
      ],
      [],
      [[1, 3, 1, 2]],
    ]
    await writeJson({ counts: [1, 2], none: [], neurons }, true, stdout)
    expect(stdout.take()).toBe(
      [
        '{',
        '  "counts": [1, 2],',
        '  "none": [],',
        '  "neurons": [',
        '    [[0, 17, 0.62, null], [1, 5, 0.38, -1e-7]],',
        '    [],',
        '    [[1, 3, 1, 2]]',
        '  ]',
        '}',
        '',
      ].join('\n'),
    )
  })

  it('should change no value', async () => {
    const stdout = fakeStream()
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (value) => {
        await writeJson(value, true, stdout)
        expect(JSON.stringify(JSON.parse(stdout.take()))).toBe(JSON.stringify(value))
      }),
      {
        examples: [['[1,\n 2]'], [['a, [', '1], [2]', ' ] ']], [{ '[ 1 ]': [[1, 2], '[3,  4]'] }]],
      },
    )
  })

  it('should replace a file and leave nothing else behind', async () => {
    const stdout = fakeStream()
    const file = join(folder, 'out.json')
    await writeJson({ old: true }, file, stdout)
    await writeJson({ new: true }, file, stdout)
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({ new: true })
    expect(await readdir(folder)).toEqual(['out.json'])
    expect(stdout.take()).toBe('')
  })

  it('should say when the file cannot be written', async () => {
    await expect(writeJson({}, join(folder, 'missing', 'out.json'))).rejects.toThrow(
      /GRAFT_FILE_UNREADABLE/,
    )
  })
})
