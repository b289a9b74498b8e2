import { describe, expect, it } from 'vitest'
import { comesAfter } from '../../../../../shared/protocol/operator/event-order.ts'

describe('comesAfter', () => {
  it.each([
    ['1.10', '1.9', true],
    ['1.9', '1.10', false],
    ['2.1', '1.99', true],
    ['10.1', '9.1', true],
    ['1.1', '1.1', false],
  ])('should say of %s and %s: %j', (id, other, isAfter) => {
    expect(comesAfter(id, other)).toBe(isAfter)
  })
})
