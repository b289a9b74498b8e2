import type { ClientRecord } from '../client-records.ts'

/** All that a federation left behind: rows, files, and what its clients wrote down. */
export interface Evidence {
  readonly runs: readonly {
    readonly id: string
    readonly status: string
    readonly clients: number
    readonly quorum: number
    readonly rounds: number
  }[]
  readonly journal: readonly JournalRow[]
  readonly models: readonly ModelRow[]
  readonly audit: readonly {
    readonly actor: string
    readonly action: string
    readonly details: unknown
  }[]
  /** The SHA-256 of each file in the blob store, by the name that it has. */
  readonly blobs: ReadonlyMap<string, string>
  /** Clients in the ledger of each fused network, by the ledger's blob. */
  readonly ledgers: ReadonlyMap<string, readonly string[]>
  /** Files in the quarantine folder. */
  readonly quarantine: readonly string[]
  /** SHA-256 of the model that each round left in the models folder. */
  readonly modelFiles: ReadonlyMap<number, string>
  readonly records: readonly ClientRecord[]
}

export interface JournalRow {
  readonly run: string
  readonly seq: number
  readonly event: unknown
  /** When the coordinator decided it. */
  readonly at: Date
  /** When the database wrote it, in milliseconds since 1970, if that was noted. */
  readonly writtenAt: number | null
}

export interface ModelRow {
  readonly run: string
  readonly round: number
  readonly blob: string
  /** Clients whose updates its report names. */
  readonly parents: readonly string[]
}

/** An invariant that does not hold, and how. */
export interface Violation {
  readonly invariant: string
  readonly problem: string
}
