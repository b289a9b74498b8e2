import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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
    await writeJson({ a: [1] }, true, stdout)
    expect(stdout.take()).toBe('{\n  "a": [\n    1\n  ]\n}\n')
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
