import { describe, expect, it } from 'vitest'
import { startWebgpu } from '../../../../shared/engine/webgpu.ts'
import type { Gpu, GpuAdapter } from '../../../../shared/engine/webgpu-adapter.ts'

const SOFTWARE = {
  vendor: 'google',
  architecture: 'swiftshader',
  device: '',
  description: '',
  isFallbackAdapter: true,
}
const REAL = { ...SOFTWARE, vendor: 'acme', architecture: 'x1', isFallbackAdapter: false }

describe('startWebgpu', () => {
  it('should say that there is no adapter, and what to do', async () => {
    await expect(startOn(null)).rejects.toThrow(
      /No GPU adapter.*driver.*VK_ICD_FILENAMES.*GRAFT_ENGINE_UNAVAILABLE/s,
    )
  })

  it('should refuse an adapter that is only software, unless told', async () => {
    await expect(startOn(adapter(SOFTWARE))).rejects.toThrow(
      /Only a software adapter was found: google swiftshader\..*GRAFT_ENGINE_UNAVAILABLE/s,
    )
  })

  it('should say that the device does not start', async () => {
    await expect(startOn(adapter(REAL))).rejects.toThrow(
      /acme x1 does not start: the driver is tired\..*GRAFT_ENGINE_UNAVAILABLE/s,
    )
  })
})

// Helpers

function startOn(found: GpuAdapter | null) {
  const gpu: Gpu = { requestAdapter: async () => found }
  return startWebgpu({ allowSoftware: false, load: async () => gpu })
}

function adapter(info: GpuAdapter['info']): GpuAdapter {
  return { info, limits: {}, requestDevice: () => Promise.reject(new Error('the driver is tired')) }
}
