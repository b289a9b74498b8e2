import { describe, expect, it } from 'vitest'
import { adapterName, isSoftware, loadDawn } from '../../../../shared/engine/webgpu-adapter.ts'

const GPU = {
  vendor: 'nvidia',
  architecture: 'ada',
  device: '0x2684',
  description: '550.90',
  isFallbackAdapter: false,
}

describe('adapterName', () => {
  it.each([
    [GPU, 'nvidia ada (550.90)'],
    [{ ...GPU, description: '' }, 'nvidia ada'],
    [{ ...GPU, architecture: '' }, 'nvidia (550.90)'],
    [{ ...GPU, vendor: '', architecture: '' }, '0x2684 (550.90)'],
    [{ vendor: '', architecture: '', device: '', description: '' }, 'an adapter without a name'],
  ])('should be for people: %#', (info, name) => {
    expect(adapterName(info)).toBe(name)
  })
})

describe('isSoftware', () => {
  it('should believe a driver that says it is a CPU', () => {
    expect(isSoftware({ ...GPU, isFallbackAdapter: true })).toBe(true)
  })

  it.each([
    ['architecture', 'swiftshader'],
    ['description', 'SwiftShader driver 5.0.0'],
    ['device', 'llvmpipe (LLVM 19.1, 256 bits)'],
    ['description', 'Microsoft Basic Render Driver'],
  ])('should know one by its %s, %s', (field, value) => {
    expect(isSoftware({ ...GPU, [field]: value })).toBe(true)
  })

  it('should not take a GPU for one', () => {
    expect(isSoftware(GPU)).toBe(false)
    expect(isSoftware({ ...GPU, description: 'Warpdrive 9' })).toBe(false)
  })
})

describe('loadDawn', () => {
  it('should say that npm left a package out', async () => {
    await expect(loadDawn(() => undefined)).rejects.toThrow(
      /left an optional package out: webgpu.*npm ci.*GRAFT_ENGINE_UNAVAILABLE/s,
    )
  })

  it('should say that the library does not load', async () => {
    await expect(loadDawn(() => '/nowhere/dawn.js')).rejects.toThrow(
      /Dawn \(WebGPU\) does not load: .*\/nowhere\/dawn\.js.*GRAFT_ENGINE_UNAVAILABLE/s,
    )
  })
})
