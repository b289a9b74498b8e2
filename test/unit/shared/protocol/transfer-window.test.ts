import { describe, expect, it } from 'vitest'
import { transferWindow } from '../../../../shared/protocol/transfer-window.ts'

describe('transferWindow', () => {
  it('should be an equal share of 64 MiB, from 64 KiB to four chunks', () => {
    const windows = [0, 1, 16, 17, 1024, 1025, 100_000].map(transferWindow)
    expect(windows).toEqual([4 << 20, 4 << 20, 4 << 20, 3_947_580, 65_536, 65_536, 65_536])
  })
})
