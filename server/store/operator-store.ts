import type { BlobId, ClientId, RoundNumber, RunId } from '../../shared/ids.ts'
import type { Role } from '../../shared/protocol/operator/role.ts'
import type { RunSettings } from '../../shared/protocol/run-settings.ts'

/** An operator who is signed in. */
export interface SessionRecord {
  readonly id: string
  readonly tokenId: string
  /** Of the token that opened it. */
  readonly label: string
  readonly role: Role
  readonly userAgent: string
  readonly createdAt: Date
  readonly lastSeenAt: Date
  readonly expiresAt: Date
}

/** Sessions that are good: not ended, not expired, used lately, and of a token that is valid. */
export interface SessionStore {
  /** @param session `secret` is what the cookie holds; only its SHA-256 is stored */
  open(session: {
    readonly secret: string
    readonly tokenId: string
    readonly userAgent: string
    readonly expiresAt: Date
  }): Promise<SessionRecord>
  /** @param usedSince a session that was not used since then is over */
  find(secret: string, usedSince: Date): Promise<SessionRecord | null>
  list(usedSince: Date): Promise<SessionRecord[]>
  /** It is used now. */
  touch(id: string): Promise<void>
  /** @returns false when there is no such session, or it has ended before */
  end(id: string): Promise<boolean>
}

/** Links that sign in an admin once. */
export interface SignInLinkStore {
  create(link: { readonly secret: string; readonly expiresAt: Date }): Promise<void>
  /** Uses it up. @returns false when there is none, or it has expired or been used */
  use(secret: string): Promise<boolean>
}

export type Claim =
  | { readonly state: 'new' }
  /** Begun, and not answered: it is being performed, or its coordinator has ended meanwhile. */
  | { readonly state: 'open' }
  | { readonly state: 'answered'; readonly status: number; readonly answer: unknown }
  /** The id belongs to another wish. */
  | { readonly state: 'foreign' }

/** Wishes by the ids that their senders gave them. */
export interface RequestStore {
  /** Takes the id for a wish, unless it is taken; forgets those older than `keptSince`. */
  claim(request: {
    readonly id: string
    readonly fingerprint: string
    readonly keptSince: Date
  }): Promise<Claim>
  answer(id: string, answer: { readonly status: number; readonly body: unknown }): Promise<void>
  /** It was refused and did nothing: the same id may be tried again. */
  drop(id: string): Promise<void>
}

export interface ListedRun {
  readonly id: RunId
  readonly number: number
  readonly settings: RunSettings
  /** As stored. */
  readonly status: string
  readonly createdAt: Date
  /** Rounds that have a model. */
  readonly rounds: number
  /** Of its newest round, as in its report; null: it has none. */
  readonly published: unknown
  /** Why it has failed; null: it has not, or an earlier version has not said. */
  readonly failure: unknown
}

export interface ListedModel {
  readonly run: RunId
  readonly runNumber: number
  readonly round: RoundNumber
  readonly blob: BlobId
  readonly createdAt: Date | null
  /** `published` of its round's report. */
  readonly published: unknown
}

export interface ListedEvent {
  readonly run: RunId
  readonly runNumber: number
  readonly seq: number
  readonly at: Date
  readonly event: unknown
}

export interface ListedAudit {
  readonly id: bigint
  readonly at: Date
  readonly actor: string
  readonly action: string
  readonly details: unknown
}

export interface AuditFilter {
  readonly actor?: string | undefined
  readonly action?: string | undefined
  readonly since?: Date | undefined
  readonly until?: Date | undefined
}

/** A place in the events of all runs. */
export interface EventPlace {
  readonly runNumber: number
  readonly seq: number
}

/** A place in the rounds of all runs. */
export interface RoundPlace {
  readonly runNumber: number
  readonly round: number
}

/** What a client did in a round, as that round's report has it. */
export interface ClientRound {
  readonly run: RunId
  readonly runNumber: number
  readonly round: RoundNumber
  /** Its entry in `parents`. */
  readonly parent: unknown
  /** Accuracy of the published model on its own data; null: it did not say. */
  readonly evaluation: number | null
}

/** Lists for operators, a page at a time; pages of what is stored meanwhile never repeat or lose an item. */
export interface OperatorLists {
  /** Newest first. */
  runs(page: {
    readonly status?: string | undefined
    readonly before?: number | undefined
    readonly limit: number
  }): Promise<ListedRun[]>
  run(id: RunId): Promise<ListedRun | null>
  /** A report of each round, cut down to what a curve needs; oldest first. */
  rounds(page: {
    readonly run: RunId
    readonly after: number
    readonly limit: number
  }): Promise<unknown[]>
  /** Its report, without the ledger; null: no such round has ended with a model. */
  report(run: RunId, round: RoundNumber): Promise<unknown>
  ledger(run: RunId, round: RoundNumber): Promise<unknown>
  /** Events of all runs behind `after`, oldest first. */
  events(page: {
    readonly after: EventPlace | null
    readonly limit: number
  }): Promise<ListedEvent[]>
  /** Newest first. */
  models(page: {
    readonly run?: RunId | undefined
    readonly before?: RoundPlace | undefined
    readonly limit: number
  }): Promise<ListedModel[]>
  /** Of all rounds that ended with this model, newest first. */
  modelsOf(blob: BlobId): Promise<ListedModel[]>
  /** Newest first. */
  clientRounds(page: {
    readonly client: ClientId
    readonly before?: RoundPlace | undefined
    readonly limit: number
  }): Promise<ClientRound[]>
  /** What each client brought to the newest round behind `after` that measured it; empty: none did. */
  contributions(after: RoundPlace | null): Promise<ReadonlyMap<ClientId, number>>
  /** Newest first. */
  audit(
    page: AuditFilter & { readonly before?: bigint | undefined; readonly limit: number },
  ): Promise<ListedAudit[]>
}
