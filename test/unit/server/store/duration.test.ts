import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseDuration } from '../../../../server/store/duration.ts'

describe('parseDuration', () => {
  it('should read minutes, hours and days', () => {
    expect(parseDuration('90m')).toBe(5_400_000)
    expect(parseDuration('12h')).toBe(43_200_000)
    expect(parseDuration('30d')).toBe(2_592_000_000)
  })

  it.each(['', '0d', '-1d', '1.5h', '30', 'd', '1w', '1 d', '1d ', '1e3d', '9999999d'])(
    'should refuse %j',
    (text) => {
      expect(parseDuration(text)).toBeNull()
    },
  )

  it('should only ever give positive times that a Date can add', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 999_999 }),
        fc.constantFrom('m', 'h', 'd'),
        (n, unit) => {
          const later = new Date(Date.now() + parseDuration(`${n}${unit}`)!)
          expect(later.getTime()).toBeGreaterThan(Date.now())
        },
      ),
    )
  })
})
