import type { LedgerReport, LedgerSummary } from './ledger.ts'

/** Digits that a share keeps, as in a ledger. */
const DIGITS = 6

/** The mean share of each parent in the neurons of each group. */
export function summariseLedger({ parents, groups }: LedgerReport): LedgerSummary {
  return {
    parents: [...parents],
    groups: groups.map(({ name, neurons }) => {
      const sums = new Float64Array(parents.length)
      for (const made of neurons) for (const [parent, , share] of made) sums[parent]! += share
      const shares = Array.from(sums, (sum) => rounded(sum / Math.max(1, neurons.length)))
      return { name, neurons: neurons.length, shares }
    }),
  }
}

/** Shares of a ledger are rounded, so that those of one neuron may sum to a little more than 1. */
const rounded = (share: number): number => Math.min(1, Number(share.toPrecision(DIGITS)))
