import type { RunFacts } from './run-facts.ts'

/** Bytes on the wire, at most: clients that stay away send and ask for nothing. */
export interface Traffic {
  /** Of one client in one round. */
  readonly up: number
  readonly down: number
  /** Of all clients in all rounds. */
  readonly allUp: number
  readonly allDown: number
}

/** Blobs that `scaffold` has every client pull in each round. */
const CORRECTIONS = 2

export function predictTraffic(facts: RunFacts): Traffic {
  const { settings, model, sent, update, proxyFile, strategy } = facts
  const { clients, rounds } = settings
  // The model that a round publishes is pulled once: the next round begins with it.
  const down = sent + (strategy === 'scaffold' ? CORRECTIONS * model : 0)
  return {
    up: update,
    down,
    allUp: clients * rounds * update,
    allDown: clients * (rounds * down + sent + proxyFile),
  }
}

/** Models that a round stores beside its updates: fused and tuned, and the copy for people. */
const MODELS_A_ROUND = 3
/** Encoded models that are kept for clients. */
const REMEMBERED_ENCODED = 8
/** A parent's part in a neuron, as JSON. */
const LEDGER_BYTES = 24
/** Rows of a client in a round: its events and its entries of the audit log, with their indices. */
const ROW_BYTES = 4_000
/** An empty PGlite, as it was measured. */
const DATABASE_BYTES = 40e6

/** Models that a strategy remembers with each model; `scaffold` has one of each client beside. */
const REMEMBERED: Readonly<Record<string, number>> = { fedavgm: 1, fedadam: 2, scaffold: 1 }

/**
 * Bytes that the run leaves on the coordinator's disk.
 *
 * @param kept.rounds whose updates are kept; Infinity keeps all
 * @param kept.isEmbedded whether the database is on that disk, too
 */
export function predictDisk(
  facts: RunFacts,
  kept: { readonly rounds: number; readonly isEmbedded: boolean },
): number {
  const { settings, model, sent, update, proxyFile, neurons, strategy } = facts
  const { clients, rounds } = settings
  // What a round has is let go of when the next one that is kept is over.
  const updates = clients * update * Math.min(rounds, kept.rounds + 1)
  const states = (REMEMBERED[strategy] ?? 0) * rounds + (strategy === 'scaffold' ? clients : 0)
  const models = (MODELS_A_ROUND * rounds + 2 + states) * model
  // In float32 clients get the model as it is stored.
  const encoded =
    settings.encoding === undefined ? 0 : Math.min(rounds + 1, REMEMBERED_ENCODED) * sent
  const rows = rounds * clients * (neurons * LEDGER_BYTES + ROW_BYTES)
  const database = kept.isEmbedded ? rows + DATABASE_BYTES : 0
  return updates + models + encoded + proxyFile + database
}
