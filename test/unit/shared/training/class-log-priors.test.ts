import { describe, expect, it } from 'vitest'
import { arrayExamples } from '../../../../shared/data/array-examples.ts'
import { classLogPriors } from '../../../../shared/training/class-log-priors.ts'

describe('classLogPriors', () => {
  it('should count one more of each class, so that an absent one is rare and not impossible', () => {
    const examples = arrayExamples(
      { inputShape: [1], numClasses: 3 },
      new Float32Array(4),
      Int32Array.of(0, 0, 0, 2),
    )
    expect([...classLogPriors(examples)]).toEqual(
      [4 / 7, 1 / 7, 2 / 7].map((share) => Math.fround(Math.log(share))),
    )
  })
})
