import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromFloat16, toFloat16 } from '../../../../shared/model/float16.ts'

const FINITE = Uint16Array.from({ length: 1 << 16 }, (_, bits) => bits).filter(
  (bits) => (bits & 0x7c00) !== 0x7c00,
)

describe('half floats', () => {
  it.each([
    [0x0000, 0],
    [0x0001, 2 ** -24],
    [0x03ff, 1023 * 2 ** -24],
    [0x0400, 2 ** -14],
    [0x3555, 0.333251953125],
    [0x3c00, 1],
    [0xc000, -2],
    [0x7bff, 65504],
  ])('should have in %i the value %d', (bits, value) => {
    expect(fromFloat16(Uint16Array.of(bits))[0]).toBe(value)
    expect(toFloat16(Float32Array.of(value))[0]).toBe(bits)
  })

  it('should know NaN and infinities', () => {
    const [nan, up, down] = fromFloat16(Uint16Array.of(0x7e00, 0x7c00, 0xfc00))
    expect([nan, up, down]).toEqual([NaN, Infinity, -Infinity])
  })

  it('should come back as they were, all of them', () => {
    expect(toFloat16(fromFloat16(FINITE))).toEqual(FINITE)
  })

  it('should be the nearest to any finite number, ties to even', () => {
    const finite = fc.float({ noNaN: true, noDefaultInfinity: true })
    // Most floats are far beyond what a half float holds.
    const usual = fc.float({ noNaN: true, min: -70_000, max: 70_000 })
    const small = fc.float({ noNaN: true, min: Math.fround(-1e-4), max: Math.fround(1e-4) })
    fc.assert(
      fc.property(fc.oneof(finite, usual, small), (value) => {
        expect(toFloat16(Float32Array.of(value))[0]).toBe(slowHalf(value))
      }),
      { numRuns: 2000 },
    )
  })

  it('should round what lies in the middle to even', () => {
    for (const bits of [0x0000, 0x0001, 0x03fe, 0x03ff, 0x0400, 0x3c00, 0x3c01, 0x7bfd, 0x7bfe]) {
      const [low, high] = fromFloat16(Uint16Array.of(bits, bits + 1))
      const middle = (low! + high!) / 2
      expect(toFloat16(Float32Array.of(middle))[0]).toBe(bits % 2 === 0 ? bits : bits + 1)
    }
  })
})

// Helpers

const POSITIVE = FINITE.filter((bits) => bits < 0x8000)
const VALUES = Float64Array.from(POSITIVE, slowValue)

/** In float64, by the definition of binary16. */
function slowValue(bits: number): number {
  const [exponent, fraction] = [Math.floor(bits / 1024), bits % 1024]
  return exponent === 0
    ? (fraction / 1024) * 2 ** -14
    : (1 + fraction / 1024) * 2 ** (exponent - 15)
}

/** By looking at all of them. */
function slowHalf(value: number): number {
  // In float64 the largest floats are as far from all of them.
  const size = Math.min(Math.abs(value), 65504)
  let best = 0
  for (let i = 1; i < VALUES.length; i++) {
    const [old, now] = [Math.abs(VALUES[best]! - size), Math.abs(VALUES[i]! - size)]
    if (now < old || (now === old && i % 2 === 0)) best = i
  }
  return POSITIVE[best]! + (value < 0 || Object.is(value, -0) ? 0x8000 : 0)
}
