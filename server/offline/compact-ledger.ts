import type { CompactLedger } from '../../shared/protocol/fuse-report.ts'
import type { Ledger } from '../fusion/ledger.ts'

/** A ledger for JSON. Six digits of a share say more than anyone asks for, in a third of the bytes. */
export function compactLedger({ parents, groups }: Ledger): CompactLedger {
  const rounded = (value: number): number => Number(value.toPrecision(6))
  return {
    parents: [...parents],
    groups: groups.map(({ name, neurons }) => ({
      name,
      neurons: neurons.map((made) =>
        made.map(({ parent, neuron, share, score }) => [
          parent,
          neuron,
          rounded(share),
          score === null ? null : rounded(score),
        ]),
      ),
    })),
  }
}
