import { describe, expect, it } from 'vitest'
import { ConnectionLost, type News } from '../../../../client/node/connection.ts'
import { type Duties, followRun, RunUnserved } from '../../../../client/node/follow-run.ts'
import { createMailbox } from '../../../../client/node/mailbox.ts'
import type { NodeEvent, RoundOutcome } from '../../../../client/node/progress.ts'
import { GraftError } from '../../../../shared/errors.ts'
import { type RunId, RunId as RunIdSchema } from '../../../../shared/ids.ts'
import { round, RUN, sha256 } from '../../../support/test-gateway.ts'

const OTHER_RUN = RunIdSchema.parse('00000000-0000-4000-8000-000000000002')
const model = { id: sha256(Uint8Array.of(1)), sizeBytes: 1 }

describe('followRun', () => {
  it('should play each round it is invited to, until the run is finished', async () => {
    const node = startNode()
    node.tell(connected, invited(1), published(1), invited(2), published(2), finished(2))
    const summary = await node.done
    expect(summary.accepted.map((outcome) => outcome.round)).toEqual([1, 2])
    expect(node.log).toEqual([
      'join',
      'start 1',
      'end 1',
      'receive 1',
      'start 2',
      'end 2',
      'receive 2',
    ])
  })

  it('should not start a round again that it is invited to again', async () => {
    const node = startNode()
    node.tell(connected, invited(1), connected, invited(1), published(1), invited(1), finished(1))
    await node.done
    expect(node.log.filter((line) => line === 'start 1')).toHaveLength(1)
  })

  it('should stop the old round before it starts a new one', async () => {
    const node = startNode({ hangIn: [1] })
    node.tell(connected, invited(1))
    await node.logged('start 1')
    node.tell(invited(2))
    await node.logged('end 2')
    node.tell(finished(2))
    const summary = await node.done
    expect(node.log).toEqual(['join', 'start 1', 'stop 1', 'start 2', 'end 2'])
    expect(summary.accepted.map((outcome) => outcome.round)).toEqual([2])
  })

  it.each([
    ['published', () => published(1)],
    ['failed', () => failed(1)],
  ])('should stop a round that was %s without it', async (_what, over) => {
    const node = startNode({ hangIn: [1] })
    node.tell(connected, invited(1))
    await node.logged('start 1')
    node.tell(over(), finished(1))
    await node.done
    expect(node.log).toContain('stop 1')
  })

  it('should ignore an invitation to a run it has not joined', async () => {
    const node = startNode()
    node.tell(connected, { ...invited(1), run: OTHER_RUN }, finished(0))
    await node.done
    expect(node.log).toEqual(['join'])
  })

  it('should drop its work when it comes back to another run', async () => {
    const node = startNode({ hangIn: [1], runs: [RUN, OTHER_RUN] })
    node.tell(connected, invited(1))
    await node.logged('start 1')
    node.tell(connected)
    await node.logged('stop 1')
    // The news of the run that it has left is for others.
    node.tell(finished(1), { ...finished(2), run: OTHER_RUN })
    expect((await node.done).rounds).toBe(2)
    expect(node.log).toEqual(['join', 'start 1', 'join', 'stop 1'])
  })

  it('should stay for the next run when its run is finished', async () => {
    const stop = new AbortController()
    const node = startNode({ stays: true, runs: [RUN, OTHER_RUN], signal: stop.signal })
    const next = { run: OTHER_RUN }
    node.tell(connected, invited(1), published(1), finished(1), { ...invited(1), ...next })
    await node.logged('end 1')
    node.tell({ ...published(1), ...next }, finished(1), { ...invited(2), ...next })
    await node.logged('end 2')
    stop.abort(new Error('enough'))
    await expect(node.done).rejects.toThrow('enough')
    const joins = node.log.filter((line) => line.startsWith('join'))
    expect(joins).toEqual(['join', `join after ${RUN}`])
  })

  it('should leave out a run that it cannot take part in, and stay for the next one', async () => {
    const stop = new AbortController()
    const cause = new GraftError('GRAFT_DATA_MISMATCH', 'Other images.')
    const joinErrors = [new RunUnserved(RUN, cause)]
    const node = startNode({ stays: true, joinErrors, runs: [OTHER_RUN], signal: stop.signal })
    node.tell(connected, { ...invited(1), run: OTHER_RUN })
    await node.logged('end 1')
    stop.abort(new Error('enough'))
    await expect(node.done).rejects.toThrow('enough')
    expect(node.log).toEqual([`join after ${RUN}`, 'start 1', 'end 1'])
  })

  it('should end for the reason why it cannot take part when it does not stay', async () => {
    const cause = new GraftError('GRAFT_DATA_MISMATCH', 'Other images.')
    const node = startNode({ joinErrors: [new RunUnserved(RUN, cause)] })
    node.tell(connected)
    await expect(node.done).rejects.toBe(cause)
  })

  it('should join again when the connection broke while it joined', async () => {
    const node = startNode({ joinErrors: [new ConnectionLost('cut')] })
    node.tell(connected, connected, invited(1), published(1), finished(1))
    expect((await node.done).accepted).toHaveLength(1)
  })

  it('should report a refusal of its update and stay', async () => {
    const error = new GraftError('GRAFT_NOT_FINITE', 'fc1.bias[0] is NaN.')
    const node = startNode({ failIn: new Map([[1, error]]) })
    node.tell(connected, invited(1))
    await node.logged('refused')
    node.tell(invited(2), published(2), finished(2))
    expect((await node.done).accepted.map((outcome) => outcome.round)).toEqual([2])
  })

  it('should take up a round again that the coordinator was too troubled to take', async () => {
    const error = new GraftError('GRAFT_DISK_FULL', 'The coordinator could not store the update.')
    const failIn = new Map([[1, error]])
    const node = startNode({ failIn, joinErrors: [] })
    node.tell(connected, invited(1))
    await node.logged('refused')
    failIn.delete(1)
    node.tell(connected, invited(1), published(1), finished(1))
    expect((await node.done).accepted.map((outcome) => outcome.round)).toEqual([1])
  })

  it('should wait for a coordinator that has lost its database while it joined', async () => {
    const error = new GraftError('GRAFT_DATABASE_UNAVAILABLE', 'It does not answer.')
    const node = startNode({ joinErrors: [error] })
    node.tell(connected, connected, invited(1), published(1), finished(1))
    expect((await node.done).accepted).toHaveLength(1)
  })

  it('should end with a failure of its own', async () => {
    const node = startNode({ failIn: new Map([[1, new TypeError('x is undefined')]]) })
    node.tell(connected, invited(1))
    await expect(node.done).rejects.toMatchObject({ code: 'GRAFT_INTERNAL' })
  })

  it('should stop its work before it ends for the reason of its signal', async () => {
    const stop = new AbortController()
    const node = startNode({ hangIn: [1], signal: stop.signal })
    node.tell(connected, invited(1))
    await node.logged('start 1')
    stop.abort(new Error('enough'))
    await expect(node.done).rejects.toThrow('enough')
    expect(node.log.at(-1)).toBe('stop 1')
  })
})

// Helpers

const connected: News = { type: 'connected' }
const invited = (n: number) =>
  ({ type: 'round:invited', run: RUN, round: round(n), model, deadlineSeconds: 9 }) as const
const published = (n: number) =>
  ({ type: 'round:published', run: RUN, round: round(n), model, isNew: true }) as const
const failed = (n: number) =>
  ({ type: 'round:failed', run: RUN, round: round(n), code: 'GRAFT_COHORT_TOO_SMALL' }) as const
const finished = (rounds: number) => ({ type: 'run:finished', run: RUN, rounds }) as const

interface Script {
  /** Rounds whose work ends only when it is stopped. */
  readonly hangIn?: readonly number[]
  readonly failIn?: ReadonlyMap<number, Error>
  readonly joinErrors?: Error[]
  /** What each join finds. */
  readonly runs?: RunId[]
  readonly signal?: AbortSignal
  readonly stays?: boolean
}

/** A node whose duties do nothing but note what they were asked. */
function startNode(script: Script = {}) {
  const { hangIn = [], failIn = new Map<number, Error>(), joinErrors = [], runs = [RUN] } = script
  const log: string[] = []
  const waiting = new Map<string, () => void>()
  const note = (line: string) => {
    log.push(line)
    waiting.get(line)?.()
  }
  const duties: Duties<{ run: RunId }> = {
    join: async (_previous, after) => {
      const error = joinErrors.shift()
      if (error !== undefined) throw error
      note(after === undefined ? 'join' : `join after ${after}`)
      return { run: runs.length > 1 ? runs.shift()! : runs[0]! }
    },
    takePart: async (_member, invitation, signal): Promise<RoundOutcome> => {
      note(`start ${invitation.round}`)
      const error = failIn.get(invitation.round)
      if (error !== undefined) throw error
      if (hangIn.includes(invitation.round)) {
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
        note(`stop ${invitation.round}`)
        signal.throwIfAborted()
      }
      note(`end ${invitation.round}`)
      return {
        round: invitation.round,
        sizeBytes: 1,
        seconds: { train: 0, attribute: 0, upload: 0 },
      }
    },
    receive: async (_member, message) => note(`receive ${message.round}`),
  }
  const news = createMailbox<News>()
  const done = followRun(news, duties, {
    signal: script.signal ?? new AbortController().signal,
    stays: script.stays === true,
    onEvent: (event: NodeEvent) => event.type === 'refused' && waiting.get('refused')?.(),
  })
  return {
    log,
    done,
    tell: (...messages: News[]) => messages.forEach(news.put),
    logged: (line: string) =>
      new Promise<void>((resolve) => {
        if (log.includes(line)) resolve()
        else waiting.set(line, resolve)
      }),
  }
}
