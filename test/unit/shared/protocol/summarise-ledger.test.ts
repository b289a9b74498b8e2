import { describe, expect, it } from 'vitest'
import { LedgerSummary } from '../../../../shared/protocol/ledger.ts'
import { summariseLedger } from '../../../../shared/protocol/summarise-ledger.ts'

describe('summariseLedger', () => {
  it('should give the mean share of each parent in each group', () => {
    const summary = summariseLedger({
      parents: ['ada', 'bob', 'cy'],
      groups: [
        {
          name: 'fc1',
          neurons: [
            [
              [0, 3, 0.25, 2],
              [1, 0, 0.75, null],
            ],
            [[0, 1, 1, null]],
            // Two neurons of the same parent, and one that nothing went into.
            [
              [0, 0, 0.5, 1],
              [0, 1, 0.5, 1],
            ],
            [],
          ],
        },
        { name: 'fc2', neurons: [] },
      ],
    })
    expect(summary).toEqual({
      parents: ['ada', 'bob', 'cy'],
      groups: [
        { name: 'fc1', neurons: 4, shares: [0.5625, 0.1875, 0] },
        { name: 'fc2', neurons: 0, shares: [0, 0, 0] },
      ],
    })
    expect(LedgerSummary.parse(summary)).toEqual(summary)
  })

  it('should not let rounded shares make more than the whole', () => {
    const sixths = Array.from({ length: 6 }, (_, i) => [0, i, 0.166667, null] as const)
    const summary = summariseLedger({
      parents: ['ada'],
      groups: [{ name: 'fc1', neurons: [sixths.map((made) => [...made])] }],
    })
    expect(summary.groups[0]!.shares).toEqual([1])
  })
})
