import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { diagnoseWebgpu } from '../../../../shared/engine/diagnose-webgpu.ts'
import { createTemporaryFolder } from '../../../support/temporary-folder.ts'

describe('diagnoseWebgpu', () => {
  it('should say that npm left a package out', async () => {
    const diagnosis = await diagnoseWebgpu(() => undefined)
    expect(diagnosis).toMatchObject({ name: 'webgpu', usable: false })
    expect(diagnosis.remedy).toContain('npm ci')
  })

  it('should find out that Dawn does not load', async () => {
    const diagnosis = await diagnoseWebgpu(() => '/nowhere/dawn.js')
    expect(diagnosis).toMatchObject({ usable: false, version: '4.22.0' })
    expect(diagnosis.detail).toMatch(/does not load: .*\/nowhere\/dawn\.js/)
  })

  it('should say what to do where there is no adapter', async () => {
    const { usable, detail, remedy } = await diagnoseWith('null')
    expect({ usable, detail }).toEqual({ usable: false, detail: 'No GPU adapter was found.' })
    expect(remedy).toContain('VK_ICD_FILENAMES')
  })

  it('should name the GPU', async () => {
    const diagnosis = await diagnoseWith(`{ info: { ...info, isFallbackAdapter: false } }`)
    expect(diagnosis).toMatchObject({ usable: true, detail: 'On acme x1 (9.0).' })
  })

  it('should say that the adapter is only software', async () => {
    const { usable, detail } = await diagnoseWith(`{ info: { ...info, isFallbackAdapter: true } }`)
    expect(usable).toBe(true)
    expect(detail).toMatch(/^Software adapter acme x1 \(9\.0\): slow, and .* asked for by name\.$/)
  })
})

// Helpers

/** Diagnoses with a Dawn whose adapter is what this expression says. */
async function diagnoseWith(adapter: string) {
  await using folder = await createTemporaryFolder()
  const dawn = join(folder.path, 'dawn.mjs')
  await writeFile(
    dawn,
    `const info = { vendor: 'acme', architecture: 'x1', device: '', description: '9.0' }
     console.error('Warning: a notice of a driver')
     export const globals = {}
     export const create = () => ({ requestAdapter: async () => (${adapter}) })`,
  )
  return await diagnoseWebgpu(() => dawn)
}
