import { type ErrorCode, GraftError, toGraftError } from '../../shared/errors.ts'
import type { RunId } from '../../shared/ids.ts'
import type { RoundInvited, RoundPublished } from '../../shared/protocol/messages.ts'
import { ConnectionLost, type News } from './connection.ts'
import { COORDINATOR_FAULTS } from './coordinator-faults.ts'
import type { Mailbox } from './mailbox.ts'
import type { NodeEvent, RoundOutcome } from './progress.ts'

/** A run that this node has joined and cannot take part in; the cause says why. */
export class RunUnserved extends Error {
  override readonly name = 'RunUnserved'
  readonly run: RunId

  constructor(run: RunId, cause: unknown) {
    super(`This node cannot take part in run ${run}.`, { cause })
    this.run = run
  }
}

/** What a node does when it is told something. */
export interface Duties<Membership extends { readonly run: RunId }> {
  /**
   * Joins the run, again after a reconnect; `previous` is what the last join gave.
   * @param after a run that this node is through with: another one is waited for
   */
  join(previous: Membership | null, after?: RunId): Promise<Membership>
  takePart(
    membership: Membership,
    invitation: RoundInvited,
    signal: AbortSignal,
  ): Promise<RoundOutcome>
  receive(membership: Membership, published: RoundPublished): Promise<void>
}

export interface NodeSummary {
  /** Rounds of the run, as the coordinator counts them. */
  readonly rounds: number
  /** Rounds in which the coordinator accepted an update of this node. */
  readonly accepted: readonly RoundOutcome[]
}

/** Refusals that end this node's round, not the node: the next round may go better. */
const ROUND_REFUSALS: readonly ErrorCode[] = [
  'GRAFT_ROUND_STALE',
  'GRAFT_NOT_IN_COHORT',
  'GRAFT_NOT_FINITE',
  'GRAFT_UPLOAD_CORRUPT',
  'GRAFT_UPLOAD_UNKNOWN',
  'GRAFT_BLOB_UNKNOWN',
]

/** One piece of work at a time; the newer one waits until the older one has stopped. */
interface Work {
  readonly key: string
  readonly abort: AbortController
  readonly done: Promise<void>
}

/**
 * Answers the coordinator's news until the run is finished, or run after run when the node stays. An invitation that is repeated after a
 * reconnect starts nothing; one for another round aborts the work of the round before.
 *
 * @param options.signal aborts everything, with its reason
 * @param options.stays takes part in the next run, too: a run that this node cannot serve is left out
 */
export async function followRun<Membership extends { readonly run: RunId }>(
  news: Mailbox<News>,
  duties: Duties<Membership>,
  options: {
    readonly signal: AbortSignal
    readonly onEvent: (event: NodeEvent) => void
    readonly stays?: boolean
  },
): Promise<NodeSummary> {
  const accepted: RoundOutcome[] = []
  let failed = new AbortController()
  let membership: Membership | null = null
  /** The run that this node is through with. */
  let after: RunId | undefined
  let work: Work = { key: '', abort: new AbortController(), done: Promise.resolve() }

  try {
    for (;;) {
      const message = await nextNews()
      if (message === null) continue
      switch (message.type) {
        case 'connected':
          membership = await joinAgain(membership)
          if (!work.key.startsWith(membership?.run ?? '')) work.abort.abort()
          break
        case 'round:invited':
          if (membership?.run === message.run) startRound(membership, message)
          break
        case 'round:published':
          await leaveRound(message)
          if (membership?.run === message.run) await receive(membership, message)
          break
        case 'round:failed':
          await leaveRound(message)
          options.onEvent({ type: 'round-failed', round: message.round, code: message.code })
          break
        case 'coordinator:leaving':
          options.onEvent({ type: 'left-alone' })
          break
        case 'run:finished':
          // Told to everybody who is connected: it may be a run that this node has never joined.
          if (isOther(message.run)) break
          options.onEvent({ type: 'finished', rounds: message.rounds })
          if (options.stays !== true) return { rounds: message.rounds, accepted }
          await leaveRun(message.run)
      }
    }
  } finally {
    work.abort.abort()
    await work.done
  }

  /** The next message; null when a round has failed, and its run was left for that. */
  async function nextNews(): Promise<News | null> {
    const { signal } = failed
    try {
      return await news.take(AbortSignal.any([options.signal, signal]))
    } catch (error) {
      if (options.stays !== true || options.signal.aborted || membership === null) throw error
      options.onEvent({ type: 'sat-out', error: toGraftError(error) })
      failed = new AbortController()
      await leaveRun(membership.run)
      return null
    }
  }

  function isOther(run: RunId): boolean {
    return membership === null ? options.stays === true : membership.run !== run
  }

  /** Waits for the next run, with nothing of this one at work any more. */
  async function leaveRun(run: RunId): Promise<void> {
    work.abort.abort()
    await work.done
    after = run
    membership = await joinAgain(null)
  }

  async function joinAgain(previous: Membership | null): Promise<Membership | null> {
    try {
      return await duties.join(previous, after)
    } catch (error) {
      // The next `connected` is on its way: a coordinator in such trouble ends, or the operator ends it.
      if (error instanceof ConnectionLost || isCoordinatorFault(error)) return previous
      const unserved = error instanceof RunUnserved ? error : null
      if (unserved === null || options.stays !== true) throw unserved?.cause ?? error
      options.onEvent({ type: 'sat-out', error: toGraftError(unserved.cause) })
      after = unserved.run
      return joinAgain(null)
    }
  }

  function startRound(member: Membership, invitation: RoundInvited): void {
    const key = keyOf(invitation)
    if (work.key === key) return
    work.abort.abort()
    const abort = new AbortController()
    work = { key, abort, done: work.done.then(() => playRound(member, invitation, abort.signal)) }
  }

  async function playRound(
    member: Membership,
    invitation: RoundInvited,
    signal: AbortSignal,
  ): Promise<void> {
    try {
      signal.throwIfAborted()
      const outcome = await duties.takePart(member, invitation, signal)
      accepted.push(outcome)
      options.onEvent({ type: 'accepted', ...outcome })
    } catch (error) {
      // A refusal that arrives behind the news that its round is over is still one.
      if (isRoundRefusal(error) || isCoordinatorFault(error)) {
        // An invitation that comes again, from a coordinator in better health, is taken up again.
        if (isCoordinatorFault(error) && work.abort.signal === signal) work = { ...work, key: '' }
        options.onEvent({ type: 'refused', round: invitation.round, error })
      } else if (!signal.aborted) failed.abort(toGraftError(error))
    }
  }

  async function leaveRound(over: { run: RunId; round: number }): Promise<void> {
    if (work.key !== keyOf(over)) return
    work.abort.abort()
    await work.done
  }

  async function receive(member: Membership, published: RoundPublished): Promise<void> {
    try {
      await duties.receive(member, published)
    } catch (error) {
      const isPassing = isRoundRefusal(error) || isCoordinatorFault(error)
      if (!(error instanceof ConnectionLost || isPassing)) throw error
    }
  }
}

function keyOf({ run, round }: { readonly run: RunId; readonly round: number }): string {
  return `${run}/${round}`
}

function isRoundRefusal(error: unknown): error is GraftError {
  return error instanceof GraftError && ROUND_REFUSALS.includes(error.code)
}

function isCoordinatorFault(error: unknown): error is GraftError {
  return error instanceof GraftError && COORDINATOR_FAULTS.includes(error.code)
}
