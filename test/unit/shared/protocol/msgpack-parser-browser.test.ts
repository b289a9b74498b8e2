import { resolve } from 'node:path'
import { build, type Rolldown } from 'vite'
import { expect, it } from 'vitest'

it('should be bundled for a browser without anything of Node', async () => {
  const entry = resolve(import.meta.dirname, '../../../../shared/protocol/msgpack-parser.ts')
  const built = (await build({
    configFile: false,
    logLevel: 'silent',
    build: { write: false, minify: false, lib: { entry, formats: ['es'] } },
  })) as unknown as Rolldown.RolldownOutput[]
  const [{ code }] = built[0]!.output
  expect(code).not.toMatch(/from ["']node:|__vite-browser-external|require\(/)
  expect(code).toContain('assertPlainMsgpack')
})
