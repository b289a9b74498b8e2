import type { LedgerReport } from '../../shared/protocol/ledger.ts'
import type { Ledger } from './ledger.ts'

/** Digits that a share and a score keep: more are not read, and there are thousands of both. */
const DIGITS = 6

/** A ledger in the form that is stored and reported. */
export function packLedger({ parents, groups }: Ledger): LedgerReport {
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

/** What {@link packLedger} packed, but for the digits it left out. */
export function unpackLedger({ parents, groups }: LedgerReport): Ledger {
  return {
    parents,
    groups: groups.map(({ name, neurons }) => ({
      name,
      neurons: neurons.map((made) =>
        made.map(([parent, neuron, share, score]) => ({ parent, neuron, share, score })),
      ),
    })),
  }
}

const rounded = (value: number): number => Number(value.toPrecision(DIGITS))
