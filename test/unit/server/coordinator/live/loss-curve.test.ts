import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createLossCurve } from '../../../../../server/coordinator/live/loss-curve.ts'

describe('createLossCurve', () => {
  it('should keep at most so many points, evenly from the first one on', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2000 }), (told) => {
        const curve = createLossCurve()
        for (let i = 0; i < told; i++) curve.add(i)
        const points = curve.points()
        expect(points.length).toBeLessThanOrEqual(200)
        expect(points.length).toBeGreaterThanOrEqual(Math.min(told, 100) - 1)
        const stride = points.length > 1 ? points[1]! - points[0]! : 1
        expect(points).toEqual(points.map((_, i) => i * stride))
      }),
    )
  })
})
