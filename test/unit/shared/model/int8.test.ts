import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dequantise, MOST_SCALE, quantise } from '../../../../shared/model/int8.ts'

const channelled = fc.integer({ min: 1, max: 5 }).chain((channels) =>
  fc.record({
    channels: fc.constant(channels),
    weights: fc
      .array(fc.float({ noNaN: true, noDefaultInfinity: true }), { maxLength: 8 })
      .map((some) =>
        Float32Array.from(
          { length: some.length * channels },
          (_, i) => some[i % some.length]! / (1 + i),
        ),
      ),
  }),
)

describe('quantise', () => {
  it('should give each channel the scale of its largest weight', () => {
    const weights = Float32Array.of(127, 1, -254, 0.5, 63.4, -0.25)
    const { values, scales } = quantise(weights, 2)
    expect(scales).toEqual(Float32Array.of(2, 1 / 127))
    expect([...values]).toEqual([64, 127, -127, 64, 32, -32])
  })

  it('should be off by half a step at most, whatever the weights', () => {
    fc.assert(
      fc.property(channelled, ({ weights, channels }) => {
        const { values, scales } = quantise(weights, channels)
        const back = dequantise(values, scales)
        for (let i = 0; i < weights.length; i++) {
          const scale = slowScale(weights, channels, i % channels)
          if (scale > MOST_SCALE) continue
          // Half a step, and what float32 rounds of the scale and of the product.
          const bound = scale / 2 + 127 * scale * 2 ** -22 + 2 ** -141
          expect(Math.abs(back[i]! - weights[i]!)).toBeLessThanOrEqual(bound)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('should agree with the equation in float64', () => {
    fc.assert(
      fc.property(channelled, ({ weights, channels }) => {
        const { values } = quantise(weights, channels)
        values.forEach((value, i) => {
          const scale = Math.fround(slowScale(weights, channels, i % channels))
          if (scale < 1e-30 || scale > MOST_SCALE) return
          expect(Math.abs(value - weights[i]! / scale)).toBeLessThanOrEqual(0.5 + 1e-5)
        })
      }),
    )
  })

  it('should keep 0, and channels of nothing', () => {
    const { values, scales } = quantise(Float32Array.of(0, 5, 0, 0, -0, 1), 2)
    expect([...values]).toEqual([0, 127, 0, 0, 0, 25])
    expect(dequantise(values, scales).filter((_, i) => i % 2 === 0)).toEqual(new Float32Array(3))
    expect(quantise(Float32Array.of(1e-45), 1).values).toEqual(Int8Array.of(0))
  })

  it('should give nothing that is not finite of the largest floats', () => {
    const largest = 3.4e38
    const { values, scales } = quantise(Float32Array.of(largest, -largest), 1)
    expect(scales[0]).toBe(MOST_SCALE)
    expect(dequantise(values, scales).every(Number.isFinite)).toBe(true)
    expect(Number.isFinite(Math.fround(largest + 128 * MOST_SCALE))).toBe(true)
  })
})

// Helpers

function slowScale(weights: Float32Array, channels: number, channel: number): number {
  let largest = 0
  weights.forEach((weight, i) => {
    if (i % channels === channel) largest = Math.max(largest, Math.abs(weight))
  })
  return largest / 127
}
