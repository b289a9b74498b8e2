import { assertNever } from '../../shared/assert-never.ts'
import type { ErrorCode } from '../../shared/errors.ts'
import { type BlobId, type ClientId, compareIds, type RoundNumber } from '../../shared/ids.ts'
import type { DiversityReport } from '../../shared/protocol/diversity-report.ts'
import type { UpdateChecks } from '../../shared/protocol/update-checks.ts'

export interface RoundRules {
  /** Clients in a cohort; recruiting ends when so many are ready. */
  readonly cohortSize: number
  /** Updates (and, when recruiting takes too long, clients) that suffice at the deadline. */
  readonly quorum: number
  /** Updates with which collecting ends, deadline or not: fewer than the cohort when more are invited than needed. */
  readonly goal: number
}

/** An accepted update: its blob is stored and its numbers are checked. */
export interface Update {
  readonly blob: BlobId
  /** n_k: training examples. */
  readonly numExamples: number
  /** Training examples of each class, [class]. */
  readonly classCounts: readonly number[]
  /** Seconds the client spent on each phase. */
  readonly seconds: { readonly train: number; readonly attribute: number; readonly upload: number }
  readonly sizeBytes: number
}

/** Clients in id order, so that a state is the same whoever came first. */
export type Cohort = readonly ClientId[]
export type Updates = Readonly<Record<ClientId, Update>>

/** A network that may be published, and the seconds it took to make. */
export interface Candidate {
  readonly blob: BlobId
  readonly seconds: number
}

/** The network a strategy made. Fields that an older Graft did not write are optional. */
export interface FusedCandidate extends Candidate {
  /** Whose neurons it is made of; a blob, as a journal is read often and this seldom. */
  readonly ledger?: BlobId | undefined
  /** What the strategy says of its choice. */
  readonly reason?: string | undefined
  /** How diverse its parents are; absent of one parent. */
  readonly diversity?: DiversityReport | undefined
  /** How its parents compare with each other; those that are set aside are none of them. */
  readonly checks?: UpdateChecks | undefined
  /** What its strategy remembers should it be published; see `journalled-state.ts`. Absent when nothing. */
  readonly state?: BlobId | undefined
}

/** What the proxy set made of the fused network; `isTuned` is false when nothing beat the untuned one. */
export interface TunedCandidate extends Candidate {
  readonly isTuned: boolean
  readonly epochs: number
}

/** The gate's decision. */
export interface Publication {
  readonly blob: BlobId
  /** False when the global model of the round before stays. */
  readonly isNew: boolean
  /** What the strategy remembers with this model: of the model that stays, what it remembered before. */
  readonly state?: BlobId | undefined
}

export type RoundState =
  | { phase: 'recruiting'; round: RoundNumber; ready: Cohort }
  | { phase: 'collecting'; round: RoundNumber; cohort: Cohort; updates: Updates }
  | { phase: 'fusing'; round: RoundNumber; cohort: Cohort; updates: Updates }
  | { phase: 'tuning'; round: RoundNumber; cohort: Cohort; updates: Updates; fused: FusedCandidate }
  | {
      phase: 'evaluating'
      round: RoundNumber
      cohort: Cohort
      updates: Updates
      fused: FusedCandidate
      tuned: TunedCandidate
    }
  | { phase: 'published'; round: RoundNumber; cohort: Cohort; publication: Publication }
  | { phase: 'failed'; round: RoundNumber; code: ErrorCode }

export type RoundPhase = RoundState['phase']

export const NEXT_PHASES = {
  recruiting: ['collecting', 'failed'],
  collecting: ['fusing', 'failed'],
  fusing: ['tuning', 'failed'],
  tuning: ['evaluating', 'failed'],
  evaluating: ['published', 'failed'],
  published: [],
  failed: [],
} as const satisfies Record<RoundPhase, readonly RoundPhase[]>

/** Every event names its round: a slow upload or an old timer must not touch the next round. */
export type RoundEvent = { round: RoundNumber } & (
  | { type: 'client-ready'; client: ClientId }
  | { type: 'client-left'; client: ClientId }
  | { type: 'update-received'; client: ClientId; update: Update }
  | { type: 'deadline-passed' }
  /** An operator waits no longer: as if the deadline had passed. */
  | { type: 'round-ended'; by: string }
  /** An operator shuts a client out; while updates are collected, its own is left out, too. */
  | { type: 'client-banned'; client: ClientId; by: string }
  /** What an operator chose for this round to start from, before it began; decides nothing within it. */
  | { type: 'model-chosen'; model: BlobId; by: string }
  | { type: 'model-fused'; fused: FusedCandidate }
  | { type: 'model-tuned'; tuned: TunedCandidate }
  | { type: 'model-evaluated'; publication: Publication }
  | { type: 'work-failed'; code: ErrorCode }
)

export type RoundEffect =
  | { type: 'start-deadline' }
  | { type: 'invite'; clients: Cohort }
  | { type: 'reject-update'; client: ClientId; code: ErrorCode }
  | { type: 'fuse'; updates: Updates }
  | { type: 'tune'; updates: Updates; fused: FusedCandidate }
  | {
      type: 'evaluate'
      cohort: Cohort
      updates: Updates
      fused: FusedCandidate
      tuned: TunedCandidate
    }
  | { type: 'publish'; publication: Publication }
  | { type: 'announce-failure'; code: ErrorCode }

export interface Step {
  readonly state: RoundState
  readonly effects: readonly RoundEffect[]
}

export function startRound(round: RoundNumber): RoundState {
  return { phase: 'recruiting', round, ready: [] }
}

/**
 * Advances one round by one event. Pure: no clock, socket, database or tensor. The coordinator
 * journals the event first and performs the effects, in order, after that.
 */
export function step(rules: RoundRules, state: RoundState, event: RoundEvent): Step {
  if (event.round !== state.round) return onOtherRound(state, event)
  switch (event.type) {
    case 'client-ready':
      return onClientReady(rules, state, event.client)
    case 'client-left':
      return onClientLeft(state, event.client)
    case 'update-received':
      return onUpdateReceived(rules, state, event.client, event.update)
    case 'deadline-passed':
    case 'round-ended':
      return onDeadlinePassed(rules, state)
    case 'client-banned':
      return onClientBanned(rules, state, event.client)
    case 'model-chosen':
      return quiet(state)
    case 'model-fused':
      if (state.phase !== 'fusing') return quiet(state)
      return onModelFused(state, event.fused)
    case 'model-tuned':
      if (state.phase !== 'tuning') return quiet(state)
      return enter({ ...state, phase: 'evaluating', tuned: event.tuned })
    case 'model-evaluated':
      return onModelEvaluated(state, event.publication)
    case 'work-failed':
      if (isOver(state)) return quiet(state)
      return enter({ phase: 'failed', round: state.round, code: event.code })
    default:
      return assertNever(event)
  }
}

/**
 * What has to happen in this state, whether it was just entered or a restarted coordinator found it
 * in the journal. Every effect may be performed twice with the same result.
 */
export function effectsOf(state: RoundState): readonly RoundEffect[] {
  switch (state.phase) {
    case 'recruiting':
      return [{ type: 'start-deadline' }]
    case 'collecting':
      return [{ type: 'start-deadline' }, { type: 'invite', clients: awaited(state) }]
    case 'fusing':
      return [{ type: 'fuse', updates: state.updates }]
    case 'tuning':
      return [{ type: 'tune', updates: state.updates, fused: state.fused }]
    case 'evaluating': {
      const { cohort, updates, fused, tuned } = state
      return [{ type: 'evaluate', cohort, updates, fused, tuned }]
    }
    case 'published':
      return [{ type: 'publish', publication: state.publication }]
    case 'failed':
      return [{ type: 'announce-failure', code: state.code }]
    default:
      return assertNever(state)
  }
}

export function isOver(state: RoundState): boolean {
  return NEXT_PHASES[state.phase].length === 0
}

/** Why this update would be refused now, or null: asked before a client sends its bytes. */
export function refusalOf(state: RoundState, client: ClientId, round: number): ErrorCode | null {
  if (round !== state.round || state.phase !== 'collecting') return 'GRAFT_ROUND_STALE'
  if (!state.cohort.includes(client)) return 'GRAFT_NOT_IN_COHORT'
  return null
}

/** Whose updates they are, in id order. */
export function clientsOf(updates: Updates): Cohort {
  return (Object.keys(updates) as ClientId[]).sort(compareIds)
}

/** Clients of the cohort whose update has not come. */
export function awaited(state: Extract<RoundState, { phase: 'collecting' }>): Cohort {
  return state.cohort.filter((client) => !(client in state.updates))
}

function onOtherRound(state: RoundState, event: RoundEvent): Step {
  return event.type === 'update-received'
    ? reject(state, event.client, 'GRAFT_ROUND_STALE')
    : quiet(state)
}

function onClientReady(rules: RoundRules, state: RoundState, client: ClientId): Step {
  if (state.phase === 'collecting' && awaited(state).includes(client)) {
    // Back after a cut, or a coordinator that was restarted: it may have missed the invitation.
    return { state, effects: [{ type: 'invite', clients: [client] }] }
  }
  if (state.phase !== 'recruiting' || state.ready.includes(client)) return quiet(state)
  const ready = [...state.ready, client].sort(compareIds)
  return ready.length < rules.cohortSize
    ? quiet({ ...state, ready })
    : startCollecting(state.round, ready)
}

function onClientLeft(state: RoundState, client: ClientId): Step {
  // Once invited, a client that leaves may come back and upload until the deadline.
  if (state.phase !== 'recruiting' || !state.ready.includes(client)) return quiet(state)
  return quiet({ ...state, ready: state.ready.filter((other) => other !== client) })
}

function onUpdateReceived(
  rules: RoundRules,
  state: RoundState,
  client: ClientId,
  update: Update,
): Step {
  if (state.phase === 'collecting' && client in state.updates) {
    // Sent again after a lost answer: the first update stands.
    return quiet(state)
  }
  const code = refusalOf(state, client, state.round)
  if (state.phase !== 'collecting' || code !== null) {
    return reject(state, client, code ?? 'GRAFT_ROUND_STALE')
  }
  return collect(rules, { ...state, updates: { ...state.updates, [client]: update } })
}

/** Goes on to fusion when no more updates are wanted. */
function collect(rules: RoundRules, state: Extract<RoundState, { phase: 'collecting' }>): Step {
  const wanted = Math.min(rules.goal, state.cohort.length)
  const isEnough = Object.keys(state.updates).length >= wanted
  return isEnough ? enter({ ...state, phase: 'fusing' }) : quiet(state)
}

function onClientBanned(rules: RoundRules, state: RoundState, client: ClientId): Step {
  if (state.phase === 'recruiting') return onClientLeft(state, client)
  if (state.phase !== 'collecting' || !state.cohort.includes(client)) return quiet(state)
  const cohort = state.cohort.filter((other) => other !== client)
  // Nobody joins a cohort later: below the quorum there is nothing to wait for.
  if (cohort.length < Math.max(1, rules.quorum)) {
    return enter({ phase: 'failed', round: state.round, code: 'GRAFT_COHORT_TOO_SMALL' })
  }
  const others = Object.entries(state.updates).filter(([id]) => id !== client)
  return collect(rules, { ...state, cohort, updates: Object.fromEntries(others) })
}

function onDeadlinePassed(rules: RoundRules, state: RoundState): Step {
  switch (state.phase) {
    case 'recruiting':
      return state.ready.length >= rules.quorum
        ? startCollecting(state.round, state.ready)
        : { state, effects: [{ type: 'start-deadline' }] }
    case 'collecting':
      return Object.keys(state.updates).length >= rules.quorum
        ? enter({ ...state, phase: 'fusing' })
        : enter({ phase: 'failed', round: state.round, code: 'GRAFT_COHORT_TOO_SMALL' })
    case 'fusing':
    case 'tuning':
    case 'evaluating':
    case 'published':
    case 'failed':
      return quiet(state)
    default:
      return assertNever(state)
  }
}

/** From here on the round has the updates that were fused. */
function onModelFused(
  state: Extract<RoundState, { phase: 'fusing' }>,
  fused: FusedCandidate,
): Step {
  const updates = withoutSetAside(state.updates, fused.checks)
  return enter({ ...state, phase: 'tuning', updates, fused })
}

/** The updates that may be fused. */
export function withoutSetAside(updates: Updates, checks: UpdateChecks | undefined): Updates {
  const aside = new Set(checks?.outliers.flatMap((each) => (each.isSetAside ? [each.client] : [])))
  if (aside.size === 0) return updates
  const kept = Object.entries<Update>(updates).filter(([client]) => !aside.has(client as ClientId))
  return Object.fromEntries(kept)
}

function onModelEvaluated(state: RoundState, publication: Publication): Step {
  if (state.phase !== 'evaluating') return quiet(state)
  const { round, cohort } = state
  return enter({ phase: 'published', round, cohort, publication })
}

function startCollecting(round: RoundNumber, cohort: Cohort): Step {
  return enter({ phase: 'collecting', round, cohort, updates: {} })
}

function enter(state: RoundState): Step {
  return { state, effects: effectsOf(state) }
}

function reject(state: RoundState, client: ClientId, code: ErrorCode): Step {
  return { state, effects: [{ type: 'reject-update', client, code }] }
}

/** A step that asks for no effect. */
function quiet(state: RoundState): Step {
  return { state, effects: [] }
}
