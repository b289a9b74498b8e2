import { describe, expect, it } from 'vitest'
import { type Ledger, ledgerOf } from '../../../../server/fusion/ledger.ts'
import { packLedger, unpackLedger } from '../../../../server/fusion/pack-ledger.ts'
import { LedgerReport } from '../../../../shared/protocol/ledger.ts'
import { denseGraph } from '../../../support/plain-networks.ts'

const LEDGER: Ledger = {
  parents: ['ada', 'bob'],
  groups: [
    {
      name: 'fc1',
      neurons: [
        [
          { parent: 0, neuron: 7, share: 0.25, score: 1.5 },
          { parent: 1, neuron: 2, share: 0.75, score: null },
        ],
        [],
      ],
    },
  ],
}

describe('packLedger', () => {
  it('should write a tuple for each parent’s neuron', () => {
    const packed = packLedger(LEDGER)
    expect(packed).toEqual({
      parents: ['ada', 'bob'],
      groups: [
        {
          name: 'fc1',
          neurons: [
            [
              [0, 7, 0.25, 1.5],
              [1, 2, 0.75, null],
            ],
            [],
          ],
        },
      ],
    })
    expect(LedgerReport.parse(packed)).toEqual(packed)
    expect(unpackLedger(packed)).toEqual(LEDGER)
  })

  it('should keep six digits, of small numbers too', () => {
    const made = [{ parent: 0, neuron: 0, share: 1 / 3, score: 1.23456789e-9 }]
    const packed = packLedger({ parents: ['a'], groups: [{ name: 'fc1', neurons: [made] }] })
    expect(packed.groups[0]?.neurons).toEqual([[[0, 0, 0.333333, 1.23457e-9]]])
  })
})

describe('ledgerOf', () => {
  it('should leave the classes out, and who has no share in a neuron', () => {
    const { groups } = ledgerOf(denseGraph([3, 2, 4]), ['a', 'b'], (_, neuron) => [
      { parent: 0, neuron, share: 1, score: 2 },
      { parent: 1, neuron, share: 0, score: 0 },
    ])
    const made = (neuron: number) => [{ parent: 0, neuron, share: 1, score: 2 }]
    expect(groups).toEqual([{ name: 'fc1', neurons: [made(0), made(1)] }])
  })
})
