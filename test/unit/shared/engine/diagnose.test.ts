import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { describe, expect, it } from 'vitest'
import { diagnoseEngines, diagnoseNative } from '../../../../shared/engine/diagnose.ts'
import { addonPath } from '../../../../shared/engine/native-cache.ts'
import { createTemporaryFolder } from '../../../support/temporary-folder.ts'

describe('diagnoseEngines', () => {
  it('should tell of every engine, the fastest first', async () => {
    const engines = await diagnoseEngines()
    expect(engines.map(({ name }) => name)).toEqual(['native', 'webgpu', 'wasm'])
    expect(engines[2]).toMatchObject({ usable: true, version: '4.22.0' })
  })
})

describe('diagnoseNative', () => {
  it('should say that npm left the package out', async () => {
    const diagnosis = await diagnoseNative(() => undefined)
    expect(diagnosis).toMatchObject({ name: 'native', usable: false })
    expect(diagnosis.remedy).toContain('npm ci')
  })

  it('should offer to install what is not installed', async () => {
    await using folder = await createTemporaryFolder()
    const bare = { folder: folder.path, version: '0.0.0' }
    const { usable, version, detail } = await diagnoseNative(() => bare)
    expect({ usable, version }).toEqual({ usable: false, version: '0.0.0' })
    expect(detail).not.toBe('')
  })

  it('should find out that an addon does not load', async () => {
    await using folder = await createTemporaryFolder()
    const addon = addonPath(folder.path)
    mkdirSync(dirname(addon), { recursive: true })
    writeFileSync(addon, 'not a library')
    const broken = { folder: folder.path, version: '0.0.0' }
    const { usable, detail } = await diagnoseNative(() => broken)
    expect(usable).toBe(false)
    expect(detail).toMatch(/does not load: .*tfjs_binding\.node/)
  })
})
