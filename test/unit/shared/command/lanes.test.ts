import { describe, expect, it } from 'vitest'
import { lanesOf } from '../../../../shared/command/lanes.ts'

const GIB = 2 ** 30

describe('lanesOf', () => {
  it.each([
    { cores: 2, freeBytes: 64 * GIB, lanes: 3 },
    { cores: 16, freeBytes: 64 * GIB, lanes: 24 },
    { cores: 16, freeBytes: 5 * GIB, lanes: 2 },
    { cores: 1, freeBytes: 0, lanes: 1 },
  ])('should be $lanes for $cores cores and $freeBytes bytes', ({ lanes, ...machine }) => {
    expect(lanesOf(machine)).toBe(lanes)
  })
})
