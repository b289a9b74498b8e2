import { assertNever } from '../../shared/assert-never.ts'
import { type ErrorCode, ERRORS, EXIT, type GraftError, toGraftError } from '../../shared/errors.ts'
import type { ClientId } from '../../shared/ids.ts'
import type { PastEvent } from './journal.ts'
import {
  effectsOf,
  type FusedCandidate,
  isOver,
  type Publication,
  type RoundEffect,
  type RoundEvent,
  type RoundRules,
  type RoundState,
  step,
  type Step,
  type TunedCandidate,
  type Updates,
} from './round-state.ts'

type Evaluation = Extract<RoundEffect, { type: 'evaluate' }>

/** The stages that need tensors. Each stores its result as a blob before it returns. */
export interface RoundWork {
  fuse(updates: Updates): Promise<FusedCandidate>
  tune(updates: Updates, fused: FusedCandidate): Promise<TunedCandidate>
  /** Judges every candidate and control, and lets the gate decide. */
  evaluate(round: Evaluation): Promise<Publication>
}

/** How a round speaks to its clients. */
export interface RoundVoice {
  invite(client: ClientId, deadlineSeconds: number): void
  published(publication: Publication): void
  failed(code: ErrorCode): void
}

/** An event that is to be journalled, and the state behind it. */
export interface Move {
  readonly event: RoundEvent
  readonly state: RoundState
}

export interface RoundContext {
  readonly rules: RoundRules
  readonly deadlineSeconds: number
  readonly work: RoundWork
  readonly voice: RoundVoice
  /** All are durable when it returns, or none is. */
  journal(moves: readonly [Move, ...Move[]]): Promise<void>
  /** Called after every step, for display. */
  onStep(state: RoundState): void
  /** Told when clients are waited for, and until when. */
  onDeadline?(at: Date): void
  /** Why a stage failed, in full; the journal keeps its code. */
  onWorkFailed(error: GraftError): void
}

export interface Round {
  readonly state: RoundState
  /** Journals the event, moves the state, starts the effects. @returns the effects of this event */
  dispatch(event: RoundEvent): Promise<readonly RoundEffect[]>
  /** The last state; rejects when the journal cannot be written, or this machine lacks what a stage needs. */
  readonly over: Promise<RoundState>
  /** Stops timers; the journal keeps everything. */
  close(): void
  /** Resolves when no stage is at work any more; never rejects. */
  idle(): Promise<void>
}

/**
 * The coordinator's story of one round: recruit, let train, collect, fuse, tune, evaluate, publish.
 *
 * Each event is journalled before its effects are performed, so a round that a killed coordinator
 * left goes on from `past`: its state is replayed and the effects of that state are performed again.
 */
export function runRound(context: RoundContext, start: RoundState, past: PastEvent[] = []): Round {
  let state = replay(context.rules, start, past)
  // The deadline of a cohort that an earlier process invited still counts from then.
  const invitedAt =
    state.phase === 'collecting' ? collectingSince(context.rules, start, past) : undefined
  let timer: NodeJS.Timeout | undefined
  let deadlineAt = Date.now()
  const over = deferred<RoundState>()
  let isClosed = false
  /** Events that came while others were being journalled. */
  let waiting: PendingEvent[] = []
  let isDeciding = false
  let working: Promise<unknown> = Promise.resolve()

  function dispatch(event: RoundEvent): Promise<readonly RoundEffect[]> {
    return new Promise((resolve, reject) => {
      waiting.push({ event, resolve, reject })
      if (!isDeciding) void decideAll()
    })
  }

  /** Events one after the other: the next is decided on the state that the last one left. */
  async function decideAll(): Promise<void> {
    isDeciding = true
    while (waiting.length > 0) {
      const batch = waiting
      waiting = []
      await decide(batch).catch((error: unknown) => {
        for (const { reject } of batch) reject(error as Error)
        over.reject(toGraftError(error))
      })
    }
    isDeciding = false
  }

  /** What came together is journalled together: the updates of hundreds of clients would wait for each other's. */
  async function decide(batch: readonly PendingEvent[]): Promise<void> {
    if (isClosed) {
      for (const { event, resolve } of batch) resolve(whenClosed(event))
      return
    }
    const steps: { pending: PendingEvent; next: Step; isMove: boolean }[] = []
    let last = state
    for (const pending of batch) {
      const next = step(context.rules, last, pending.event)
      steps.push({ pending, next, isMove: next.state !== last })
      last = next.state
    }
    const [first, ...others] = steps
      .filter(({ isMove }) => isMove)
      .map(({ pending, next }): Move => ({ event: pending.event, state: next.state }))
    if (first !== undefined) await context.journal([first, ...others])
    for (const { pending, next, isMove } of steps) {
      state = next.state
      if (isMove) context.onStep(state)
      next.effects.forEach(perform)
      pending.resolve(next.effects)
    }
    if (isOver(state)) finish()
  }

  function perform(effect: RoundEffect): void {
    const { round } = state
    switch (effect.type) {
      case 'start-deadline':
        return startDeadline()
      case 'invite':
        for (const client of effect.clients) context.voice.invite(client, secondsLeft())
        return
      case 'fuse':
        return work(async () => {
          const fused = await context.work.fuse(effect.updates)
          return { type: 'model-fused', round, fused }
        })
      case 'tune':
        return work(async () => {
          const tuned = await context.work.tune(effect.updates, effect.fused)
          return { type: 'model-tuned', round, tuned }
        })
      case 'evaluate':
        return work(async () => {
          const publication = await context.work.evaluate(effect)
          return { type: 'model-evaluated', round, publication }
        })
      case 'publish':
        context.voice.published(effect.publication)
        return
      case 'announce-failure':
        context.voice.failed(effect.code)
        return
      case 'reject-update':
        return // the caller of dispatch answers the client
      default:
        assertNever(effect)
    }
  }

  /** Runs beside the event queue, so that clients are answered while a model is being fused. */
  function work(task: () => Promise<RoundEvent>): void {
    clearTimeout(timer)
    const { round } = state
    working = task()
      .catch((error: unknown): RoundEvent => {
        const failure = toGraftError(error)
        // Of this machine, not of this round: when it is mended, the same stage is started again.
        if (ERRORS[failure.code].exit === EXIT.environment) throw failure
        context.onWorkFailed(failure)
        return { type: 'work-failed', round, code: failure.code }
      })
      .then(dispatch)
      .catch((error: unknown) => {
        over.reject(toGraftError(error))
      })
  }

  function startDeadline(): void {
    const { round } = state
    deadlineAt = (invitedAt?.getTime() ?? Date.now()) + context.deadlineSeconds * 1000
    context.onDeadline?.(new Date(deadlineAt))
    clearTimeout(timer)
    timer = setTimeout(() => {
      dispatch({ type: 'deadline-passed', round }).catch(() => undefined) // `over` has rejected
    }, secondsLeft() * 1000)
  }

  function secondsLeft(): number {
    return Math.max(0, (deadlineAt - Date.now()) / 1000)
  }

  function finish(): void {
    clearTimeout(timer)
    over.resolve(state)
  }

  context.onStep(state)
  effectsOf(state).forEach(perform)
  if (isOver(state)) finish()
  // Their connections ended with the process. Journalled, as whoever reads this journal next must not count
  // them either: it would come to another cohort, and refuse updates that were accepted.
  for (const client of state.phase === 'recruiting' ? state.ready : []) {
    dispatch({ type: 'client-left', round: state.round, client }).catch(() => undefined) // `over` has rejected
  }

  return {
    get state() {
      return state
    },
    dispatch,
    over: over.promise,
    close() {
      isClosed = true
      clearTimeout(timer)
    },
    async idle() {
      await working
    },
  }
}

/** An event, and who waits for its effects. */
interface PendingEvent {
  readonly event: RoundEvent
  readonly resolve: (effects: readonly RoundEffect[]) => void
  readonly reject: (reason: Error) => void
}

/** What is not journalled is not accepted either: the client sends it again to the next process. */
function whenClosed(event: RoundEvent): readonly RoundEffect[] {
  return event.type === 'update-received'
    ? [{ type: 'reject-update', client: event.client, code: 'GRAFT_SERVER_UNREACHABLE' }]
    : []
}

/** The state a journal leads to. */
export function replay(
  rules: RoundRules,
  start: RoundState,
  past: readonly PastEvent[],
): RoundState {
  return past.reduce((before, { event }) => step(rules, before, event).state, start)
}

/** When the cohort was invited. */
function collectingSince(
  rules: RoundRules,
  start: RoundState,
  past: readonly PastEvent[],
): Date | undefined {
  let state = start
  for (const { event, at } of past) {
    state = step(rules, state, event).state
    if (state.phase === 'collecting') return at
  }
  return undefined
}

function deferred<T>() {
  let resolve!: (value: T) => void
  let reject!: (reason: Error) => void
  const promise = new Promise<T>((yes, no) => {
    resolve = yes
    reject = no
  })
  promise.catch(() => undefined) // whoever awaits it hears of it; nobody has to
  return { promise, resolve, reject }
}
