import { describe, expect, it } from 'vitest'
import { remainingSeconds } from '../../../../../server/coordinator/live/remaining-seconds.ts'

const took = (scale: number) => ({
  train: 10 * scale,
  attribute: 2 * scale,
  upload: 3 * scale,
  fuse: 4 * scale,
  tune: 5 * scale,
  evaluate: 6 * scale,
})

describe('remainingSeconds', () => {
  it('should know nothing before a round is over', () => {
    expect(remainingSeconds('collecting', 1, [])).toBeNull()
  })

  it.each([
    ['recruiting', 100, 30],
    ['collecting', 5, 25],
    ['fusing', 1, 14],
    ['tuning', 2, 9],
    ['evaluating', 6, 0],
    ['published', 1, 0],
    ['failed', 1, 0],
  ] as const)('should add what is left of %s to the phases behind it', (phase, elapsed, left) => {
    expect(remainingSeconds(phase, elapsed, [took(1)])).toBe(left)
  })

  it('should not go below the later phases when a phase takes longer than it does mostly', () => {
    expect(remainingSeconds('collecting', 1000, [took(1)])).toBe(15)
  })

  it('should take the median of the newest five rounds', () => {
    const earlier = [took(100), took(100), took(1), took(1), took(2), took(9), took(9)]
    expect(remainingSeconds('evaluating', 0, earlier)).toBe(12)
    expect(remainingSeconds('evaluating', 0, [took(1), took(2)])).toBe(9)
  })
})
