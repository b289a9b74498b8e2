import type { ErrorCode } from '../../../shared/errors.ts'
import type { Rng } from '../../../shared/numeric/rng.ts'
import type { RunFacts } from '../run-facts.ts'
import type { Frame } from './raw-connection.ts'

/** One malformed message, and what the protocol says becomes of it. */
export interface Mutant {
  readonly frames: readonly Frame[]
  /**
   * - `refused`: answered with one of `codes`; nothing else will do
   * - `told`: `connection:closed` with the reason, then the end of the connection
   * - `closed`: the connection ends, as there is no way to answer
   * - `not accepted`: refused, closed or passed over
   */
  readonly expects: 'refused' | 'told' | 'closed' | 'not accepted'
  /** @default GRAFT_MESSAGE_INVALID alone */
  readonly codes?: readonly ErrorCode[]
}

/** One way to be malformed: a row of the report. */
export interface MessageKind {
  readonly group: string
  readonly name: string
  /** Before the handshake, or as a client that was invited. */
  readonly on: 'fresh' | 'admitted'
  /** How often it is drawn beside the others; what ends a connection costs a new one. @default 1 */
  readonly weight?: number
  /** @param id of the acknowledgement asked for */
  draw(rng: Rng, facts: RunFacts, id: number): Mutant
}
