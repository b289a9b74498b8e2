import { describe, expect, it } from 'vitest'
import { clockTime, megabytes, percent, wrapWords } from '../../../../shared/terminal/format.ts'

describe('format', () => {
  it('should write shares, bytes and times for people', () => {
    expect(percent(0.92346)).toBe('92.35 %')
    expect([megabytes(309_900), megabytes(1_249_000)]).toEqual(['310 kB', '1.2 MB'])
    expect([0, 42_900, 61_000, 3_600_000 + 309_000].map(clockTime)).toEqual([
      '0:00',
      '0:42',
      '1:01',
      '1:05:09',
    ])
  })
})

describe('wrapWords', () => {
  it('should break at spaces, indent what follows, and leave long words whole', () => {
    expect(wrapWords('one two three', 20)).toEqual(['one two three'])
    expect(wrapWords('one two three four', 9)).toEqual(['one two', '  three', '  four'])
    expect(wrapWords('extraordinary word', 5)).toEqual(['extraordinary', '  word'])
  })
})
