/** What people see of a run while it goes on; the coordinator calls it with whatever it learns. */
export interface RunDisplay {
  /** The round is in this phase; a new round forgets the clients of the one before. */
  phase(round: number, phase: string, detail?: string): void
  clientState(client: string, progress: ClientState): void
  /** Bytes of an update that have arrived; its state is `uploading` until it is accepted. */
  upload(client: string, receivedBytes: number, sizeBytes: number): void
  /** Text that stays, of one or more lines. */
  message(text: string): void
  /** Shows what is current for the last time; clients that leave after that are none of its business. */
  finish(): void
}

export interface ClientState {
  /** e.g. `training`. */
  readonly state: string
  /** Share of it done, 0 to 1. */
  readonly done?: number
  /** Mean training loss of the last steps. */
  readonly loss?: number
}
