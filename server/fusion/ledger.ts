import type { NeuronGraph } from '../../shared/model/neuron-graph.ts'

/** A parent's neuron in a fused neuron. */
export interface Contribution {
  /** Index into `parents` of the ledger. */
  readonly parent: number
  /** Its index in the parent's group. */
  readonly neuron: number
  /** Its share of the fused neuron, > 0; the shares of one fused neuron sum to 1. */
  readonly share: number
  /** What it was weighed or chosen by, in the strategy's own scale; null where nothing was. */
  readonly score: number | null
}

/** Neurons of one group of a fused network, and what each is made of. */
export interface LedgerGroup {
  /** As in the neuron graph. */
  readonly name: string
  /** [neuron]; empty for one that nothing went into. */
  readonly neurons: readonly (readonly Contribution[])[]
}

/** For every neuron of a fused network whose neurons made it. */
export interface Ledger {
  /** Ids, in the order of fusion. */
  readonly parents: readonly string[]
  /** In the order of the neuron graph, without the classes, which are nobody's. */
  readonly groups: readonly LedgerGroup[]
}

/** @param contributions what a neuron of a group is made of; those of no share are left out */
export function ledgerOf(
  graph: NeuronGraph,
  parents: readonly string[],
  contributions: (group: number, neuron: number) => readonly Contribution[],
): Ledger {
  const hidden = graph.groups.filter(({ isHead }) => !isHead)
  return {
    parents,
    groups: hidden.map(({ index, name, width }) => ({
      name,
      neurons: Array.from({ length: width }, (_, neuron) =>
        contributions(index, neuron).filter(({ share }) => share > 0),
      ),
    })),
  }
}

/** Share of each parent in a fused network, [parent]: the mean over its neurons, all groups alike. */
export function parentShares({ parents, groups }: Ledger): number[] {
  const filled = groups.filter(({ neurons }) => neurons.some((made) => made.length > 0))
  return parents.map((_, index) => {
    const shares = filled.map(({ neurons }) => {
      const own = neurons.flat().filter(({ parent }) => parent === index)
      return own.reduce((sum, { share }) => sum + share, 0) / neurons.length
    })
    return shares.reduce((sum, share) => sum + share, 0) / Math.max(1, shares.length)
  })
}
