import type { BlobId, RoundNumber } from '../../shared/ids.ts'

/** What a round begins with. */
export interface RoundPast {
  readonly round: RoundNumber
  readonly globalModel: BlobId
  /** What the strategy remembers with the global model; null: nothing. */
  readonly state: BlobId | null
}

/** What a stage is at, in a few words for display. */
export type OnDetail = (detail: string) => void
