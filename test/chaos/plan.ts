import { createRng, type Rng } from '../../shared/numeric/rng.ts'

/** What a coordinator is seen at, in the order of a round; each is a moment to kill it in. */
export const MOMENTS = [
  'starting',
  'recruiting',
  'training',
  'uploading',
  'journalled',
  'acknowledged',
  'fusing',
  'tuning',
  'evaluating',
  'saved',
  'published',
  'between rounds',
  'farewell',
] as const
export type Moment = (typeof MOMENTS)[number]

/** What a client is at, in the order of a round. */
export const CLIENT_PHASES = [
  'pulling',
  'training',
  'attributing',
  'uploading',
  'accepted',
  'evaluating',
] as const
export type ClientPhase = (typeof CLIENT_PHASES)[number]

/** A blow that falls when its round and stage, or what comes behind them, is seen. */
export interface Blow<Stage extends string> {
  readonly round: number
  readonly stage: Stage
  readonly delayMs: number
}

export interface CoordinatorKill extends Blow<Moment> {
  /** Bytes of uploads that pass first, for the moment `uploading`. */
  readonly afterBytes: number
  /** How long it stays away. */
  readonly downMs: number
  /** SIGSTOP for as long, in the place of SIGKILL; null: killed. */
  readonly freezeMs: number | null
}

export interface ClientKill extends Blow<ClientPhase> {
  /** `process`: SIGKILL for its process and all clients in it; `client`: it drops its connection alone. */
  readonly how: 'process' | 'client'
}

export interface LinkFault {
  /** Since the fault before, or the start. */
  readonly afterMs: number
  readonly fault:
    | { readonly type: 'cut'; readonly downMs: number }
    | { readonly type: 'slow'; readonly bytesPerSecond: number; readonly delayMs: number }
    | { readonly type: 'heal' }
}

export interface BucketFault {
  /** Since the fault before was over, or the start. */
  readonly afterMs: number
  /** `away`: nobody listens, and open connections break; `busy`: 503 to whoever asks. */
  readonly how: 'away' | 'busy'
  readonly forMs: number
}

/** All that happens to one federation. */
export interface FederationPlan {
  readonly coordinatorKills: readonly CoordinatorKill[]
  /** By client. */
  readonly clientKills: readonly (readonly ClientKill[])[]
  /** By client; the faults come again and again until the run ends. */
  readonly links: readonly (readonly LinkFault[])[]
  /** Of the bucket, where there is one; again and again until the run ends. */
  readonly bucket: readonly BucketFault[]
  /** Milliseconds that the database takes longer for a journal event, at most. */
  readonly slowJournalMs: number
}

export interface PlanSize {
  readonly clients: number
  readonly rounds: number
  readonly coordinatorKills: number
  /** Of all clients together. */
  readonly clientKills: number
  /** Bytes of one client's update. */
  readonly updateBytes: number
  /** Share of the blows to coordinators that freeze in the place of killing. @default 0 */
  readonly freezes?: number
  /** Moments that coordinators are struck at. @default all */
  readonly moments?: readonly Moment[]
}

const LINK_FAULTS = 40
const BUCKET_FAULTS = 20
/** Twice the lease. */
const LONGEST_FREEZE_MS = 8_000

const LONGEST_DELAYS_MS: Partial<Record<Moment, number>> = {
  // A start takes a second or two: such a kill may fall on whatever it comes to.
  starting: 2500,
  // Before the update is acknowledged, which takes another statement.
  journalled: 0,
}

/** The same plan for the same seed; when a blow falls is up to the processes. */
export function drawPlan(seed: string, size: PlanSize): FederationPlan {
  const rng = createRng(`chaos/${seed}`)
  const clients = Array.from({ length: size.clients }, (_, index) => index)
  return {
    coordinatorKills: drawKills(rng.split('coordinator'), size),
    clientKills: clients.map((client) =>
      drawClientKills(rng.split(`client/${client}`), {
        rounds: size.rounds,
        count: share(size.clientKills, size.clients, client),
      }),
    ),
    links: clients.map((client) => drawLinkFaults(rng.split(`link/${client}`))),
    bucket: drawBucketFaults(rng.split('bucket')),
    slowJournalMs: [10, 30, 60][below(rng.split('journal'), 3)]!,
  }
}

/** Every moment before any of them a second time. */
function drawKills(rng: Rng, size: PlanSize) {
  const { coordinatorKills, rounds, updateBytes, clients, freezes = 0 } = size
  const moments: Moment[] = []
  while (moments.length < coordinatorKills) moments.push(...rng.shuffle(size.moments ?? MOMENTS))
  const cold = rng.split('freeze')
  const kills = moments.slice(0, coordinatorKills).map((stage): CoordinatorKill => ({
    round: stage === 'farewell' ? rounds : 1 + below(rng, rounds),
    stage,
    delayMs: drawDelay(rng, LONGEST_DELAYS_MS[stage] ?? 120),
    afterBytes: below(rng, clients * updateBytes),
    downMs: below(rng, 400),
    // Also too short to be missed.
    freezeMs: cold.next() < freezes ? below(cold, LONGEST_FREEZE_MS) : null,
  }))
  return inOrder(kills, MOMENTS)
}

function drawClientKills(rng: Rng, { rounds, count }: { rounds: number; count: number }) {
  const kills = Array.from({ length: count }, (): ClientKill => ({
    round: 1 + below(rng, rounds),
    stage: CLIENT_PHASES[below(rng, CLIENT_PHASES.length)]!,
    delayMs: drawDelay(rng, 60),
    how: rng.next() < 0.25 ? 'process' : 'client',
  }))
  return inOrder(kills, CLIENT_PHASES)
}

function drawLinkFaults(rng: Rng): LinkFault[] {
  return Array.from({ length: LINK_FAULTS }, (): LinkFault => {
    const afterMs = 300 + below(rng, 2000)
    const kind = rng.next()
    if (kind < 0.3) return { afterMs, fault: { type: 'cut', downMs: below(rng, 600) } }
    if (kind < 0.7) return { afterMs, fault: { type: 'heal' } }
    const bytesPerSecond = 1_000_000 + below(rng, 5_000_000)
    return { afterMs, fault: { type: 'slow', bytesPerSecond, delayMs: below(rng, 40) } }
  })
}

function drawBucketFaults(rng: Rng): BucketFault[] {
  return Array.from({ length: BUCKET_FAULTS }, (): BucketFault => ({
    afterMs: 1000 + below(rng, 5000),
    how: rng.next() < 0.5 ? 'away' : 'busy',
    forMs: 100 + below(rng, 2500),
  }))
}

/** Often at once. */
function drawDelay(rng: Rng, mostMs: number): number {
  return rng.next() < 0.4 ? 0 : below(rng, mostMs)
}

/** Whether something seen is at or behind a blow's place in the run. */
export function isDue<Stage extends string>(
  blow: Blow<Stage>,
  seen: { readonly round: number; readonly stage: Stage },
  stages: readonly Stage[],
): boolean {
  return compare(seen, blow, stages) >= 0
}

function inOrder<Planned extends Blow<Stage>, Stage extends string>(
  blows: readonly Planned[],
  stages: readonly Stage[],
): Planned[] {
  return [...blows].sort((a, b) => compare(a, b, stages))
}

function compare<Stage extends string>(
  a: { readonly round: number; readonly stage: Stage },
  b: { readonly round: number; readonly stage: Stage },
  stages: readonly Stage[],
): number {
  return a.round - b.round || stages.indexOf(a.stage) - stages.indexOf(b.stage)
}

/** Uniform in 0..limit-1. */
function below(rng: Rng, limit: number): number {
  return Math.floor(rng.next() * limit)
}

/** Of `total` things dealt out in turn. */
function share(total: number, parts: number, index: number): number {
  return Math.floor(total / parts) + (index < total % parts ? 1 : 0)
}
