import { describe, expect, it } from 'vitest'
import { createPrivacy, toldCounts } from '../../../../client/privacy/privacy.ts'
import { describeSpent, privacyOf } from '../../../../client/privacy/privacy-of.ts'
import { createSecureNormal } from '../../../../client/privacy/secure-normal.ts'

describe('createSecureNormal', () => {
  it('should draw normal numbers that nobody can draw again', () => {
    const draw = createSecureNormal()
    const values = Array.from({ length: 100_000 }, draw)
    const share = (limit: number) => values.filter((value) => Math.abs(value) < limit).length / 1e5
    // Bounds of ten and more standard errors.
    expect(Math.abs(share(1) - 0.6827)).toBeLessThan(0.02)
    expect(Math.abs(share(2) - 0.9545)).toBeLessThan(0.01)
    expect(values.every(Number.isFinite)).toBe(true)
    expect(new Set(values).size).toBeGreaterThan(99_990)
    expect(createSecureNormal()()).not.toBe(createSecureNormal()())
  })
})

describe('createPrivacy', () => {
  it('should count each update, sent or not, and tell what it cost', () => {
    const told: number[] = []
    const privacy = createPrivacy({
      ...{ clip: 1, noise: 2, delta: 1e-5, normal: () => 0 },
      onRelease: ({ releases }) => told.push(releases),
    })
    expect(privacy.spent()).toMatchObject({ releases: 0, epsilon: 0 })
    const start = [{ name: 'w', shape: [1], data: new Float32Array(1) }]
    privacy.release(start, start)
    const once = privacy.spent()
    privacy.release(start, start)
    const twice = privacy.spent()
    expect(told).toEqual([1, 2])
    expect(twice.epsilon).toBeGreaterThan(once.epsilon)
    expect(once.epsilonOfReplacement).toBeGreaterThan(once.epsilon)
    expect(describeSpent(twice)).toContain('after 2 updates')
  })

  it('should say the same of the classes whatever they are', () => {
    expect(toldCounts(3)).toEqual({ numExamples: 300, classCounts: [100, 100, 100] })
  })
})

describe('privacyOf', () => {
  it('should want a clip and a noise, or neither', () => {
    const out = { write: () => true }
    expect(privacyOf({ clip: undefined, noise: undefined, delta: 1e-5 }, out)).toBeNull()
    const only = (words: { clip?: number; noise?: number }) => () =>
      privacyOf({ clip: words.clip, noise: words.noise, delta: 1e-5 }, out)
    expect(only({ clip: 1 })).toThrow(/--dp-noise is missing/)
    expect(only({ noise: 1 })).toThrow(/--dp-clip is missing/)
  })
})
