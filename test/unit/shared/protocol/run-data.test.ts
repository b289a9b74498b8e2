import { describe, expect, it } from 'vitest'
import { assertCanAnnounce, RunData } from '../../../../shared/protocol/run-data.ts'
import { hashOf } from '../../../support/toy-run.ts'

const DATA: RunData = {
  inputShape: [2],
  numClasses: 2,
  classNames: ['a', 'b'],
  columns: [{ name: 'x' }, { name: 'y', categories: ['only'] }],
  normalisation: { mean: [0, 0], std: [1, 1] },
  sha256: hashOf(new Uint8Array(1)),
}

describe('RunData', () => {
  it('should take what a run announces, and no more', () => {
    expect(RunData.parse(DATA)).toEqual(DATA)
    expect(() => RunData.parse({ ...DATA, path: '/home/me' })).toThrow(/path/)
    expect(() => RunData.parse({ ...DATA, normalisation: { mean: [0], std: [0] } })).toThrow(/std/)
    expect(() => RunData.parse({ ...DATA, normalisation: { mean: [NaN], std: [1] } })).toThrow(
      /mean/,
    )
  })
})

describe('assertCanAnnounce', () => {
  it('should refuse what clients would refuse, naming it', () => {
    expect(() => assertCanAnnounce(DATA)).not.toThrow()
    const wide = { mean: Array<number>(20_001).fill(0), std: [1] }
    for (const [changes, field] of [
      [{ normalisation: wide }, 'normalisation.mean'],
      [{ classNames: ['a', 'x'.repeat(257)] }, 'classNames.1'],
    ] as const) {
      expect(() => assertCanAnnounce({ ...DATA, ...changes } as RunData)).toThrow(
        new RegExp(`cannot announce these data: ${field}: .*GRAFT_DATA_INVALID`),
      )
    }
  })
})
