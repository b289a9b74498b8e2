import { describe, expect, it } from 'vitest'
import manifest from '../../../../package.json' with { type: 'json' }
import { GRAFT_VERSION } from '../../../../shared/protocol/graft-version.ts'

describe('GRAFT_VERSION', () => {
  it('should be the version of the package', () => {
    expect(GRAFT_VERSION).toBe(manifest.version)
  })
})
