import { expect, it } from 'vitest'
import { cosineDecay } from '../../../../shared/training/cosine-decay.ts'

it('should fall from 1 to 0 along half a cosine', () => {
  const share = cosineDecay(4)
  expect([0, 1, 2, 3].map(share)).toEqual([
    1,
    expect.closeTo(0.5 + Math.SQRT1_2 / 2),
    expect.closeTo(0.5),
    expect.closeTo(0.5 - Math.SQRT1_2 / 2),
  ])
})
