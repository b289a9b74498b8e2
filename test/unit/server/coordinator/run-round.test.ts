import { describe, expect, it } from 'vitest'
import { parseJournal, type PastEvent } from '../../../../server/coordinator/journal.ts'
import {
  type RoundEvent,
  startRound,
  type Update,
} from '../../../../server/coordinator/round-state.ts'
import {
  type Round,
  type RoundContext,
  runRound,
} from '../../../../server/coordinator/run-round.ts'
import { GraftError } from '../../../../shared/errors.ts'
import { BlobId, ClientId, RoundNumber } from '../../../../shared/ids.ts'

const round1 = RoundNumber.parse(1)
const client = (n: number) => ClientId.parse(`client-${n}`)
const blob = (n: number) => BlobId.parse(n.toString(16).padStart(64, '0'))

describe('runRound', () => {
  it('should lead a round from invitation to publication', async () => {
    const coordinator = createCoordinator()
    const round = coordinator.start()
    await everybodyUploads(round)
    expect(await round.over).toMatchObject({ phase: 'published', publication: { blob: blob(9) } })
    expect(coordinator.said).toEqual(['invite client-0', 'invite client-1', 'published'])
  })

  it('should journal an update before it is acknowledged', async () => {
    const coordinator = createCoordinator()
    const round = coordinator.start()
    await joinAll(round)
    await round.dispatch(upload(0))
    expect(coordinator.journal.at(-1)?.event).toEqual(upload(0))
  })

  it('should not journal what changes nothing', async () => {
    const coordinator = createCoordinator()
    const round = coordinator.start()
    await joinAll(round)
    const before = coordinator.journal.length
    const effects = await round.dispatch(upload(7))
    expect(effects).toMatchObject([{ type: 'reject-update', code: 'GRAFT_NOT_IN_COHORT' }])
    expect(coordinator.journal).toHaveLength(before)
    round.close()
  })

  it('should go on where a killed coordinator was, at every event', async () => {
    const whole = createCoordinator()
    const round = whole.start()
    await everybodyUploads(round)
    const last = await round.over
    expect(whole.journal.length).toBeGreaterThan(5)

    expect(last).toMatchObject({ publication: { state: blob(7) } })

    for (let kept = 0; kept <= whole.journal.length; kept++) {
      const restarted = createCoordinator(storedAndRead(whole.journal.slice(0, kept)))
      const resumed = restarted.start()
      await everybodyUploads(resumed)
      expect(await resumed.over, `killed after event ${kept}`).toEqual(last)
      const accepted = whole.journal.slice(0, kept).filter(isUpdate)
      for (const { event } of accepted) {
        expect(
          restarted.journal.filter((entry) => isUpdate(entry) && isSame(entry, event)),
        ).toHaveLength(1)
      }
    }
  })

  it('should come to the cohort of the process before, whoever was ready in the one before that', async () => {
    const ready = (n: number): RoundEvent => ({
      type: 'client-ready',
      round: round1,
      client: client(n),
    })
    const first = createCoordinator()
    await first.start().dispatch(ready(0))

    const second = createCoordinator(first.journal)
    const recruiting = second.start()
    await recruiting.dispatch(ready(1))
    expect(recruiting.state).toMatchObject({ phase: 'recruiting', ready: ['client-1'] })
    await recruiting.dispatch(ready(2))
    await recruiting.dispatch(upload(2))

    const third = createCoordinator(second.journal).start()
    expect(third.state).toEqual(recruiting.state)
    expect(third.state).toMatchObject({ cohort: ['client-1', 'client-2'] })
    expect(Object.keys(third.state.phase === 'collecting' ? third.state.updates : {})).toEqual([
      'client-2',
    ])
  })

  it('should give a cohort its whole time, however long ago somebody was ready', async () => {
    const past: PastEvent[] = [
      { event: { type: 'client-ready', round: round1, client: client(0) }, at: new Date(0) },
    ]
    const coordinator = createCoordinator(past)
    const seconds: number[] = []
    coordinator.context.voice = {
      ...coordinator.context.voice,
      invite: (_, deadlineSeconds) => void seconds.push(deadlineSeconds),
    }
    const round = coordinator.start()
    await joinAll(round)
    expect(Math.min(...seconds)).toBeGreaterThan(3000)
    round.close()
  })

  it('should keep to the deadline of a cohort that was invited by the process before', async () => {
    const at = new Date(Date.now() - 3000_000)
    const past = [0, 1].map((n): PastEvent => {
      return { event: { type: 'client-ready', round: round1, client: client(n) }, at }
    })
    const coordinator = createCoordinator(past)
    const seconds: number[] = []
    coordinator.context.voice = {
      ...coordinator.context.voice,
      invite: (_, deadlineSeconds) => void seconds.push(deadlineSeconds),
    }
    coordinator.start().close()
    expect(Math.max(...seconds)).toBeLessThanOrEqual(600)
  })

  it('should fail the round with the code of a stage that failed, and say why', async () => {
    const coordinator = createCoordinator()
    coordinator.context.work.tune = () =>
      Promise.reject(new GraftError('GRAFT_NOT_FINITE', 'The loss is NaN.'))
    const round = coordinator.start()
    await everybodyUploads(round)
    expect(await round.over).toEqual({ phase: 'failed', round: 1, code: 'GRAFT_NOT_FINITE' })
    expect(coordinator.said).toContain('failed GRAFT_NOT_FINITE')
    expect(coordinator.failures.map(({ problem }) => problem)).toEqual(['The loss is NaN.'])
  })

  it('should start a stage again that failed for what this machine lacks', async () => {
    const coordinator = createCoordinator()
    const { tune } = coordinator.context.work
    coordinator.context.work.tune = () =>
      Promise.reject(new GraftError('GRAFT_DISK_FULL', 'No space left.'))
    const round = coordinator.start()
    await everybodyUploads(round)
    await expect(round.over).rejects.toMatchObject({ code: 'GRAFT_DISK_FULL' })
    expect(coordinator.journal.at(-1)?.event.type).toBe('model-fused')

    const restarted = createCoordinator(coordinator.journal)
    restarted.context.work.tune = tune
    expect(await restarted.start().over).toMatchObject({ phase: 'published' })
  })

  it('should end when the journal cannot be written, without acting on the event', async () => {
    const coordinator = createCoordinator()
    const round = coordinator.start()
    await joinAll(round)
    coordinator.context.journal = () =>
      Promise.reject(new GraftError('GRAFT_DATABASE_UNAVAILABLE', 'It is gone.'))
    await expect(round.dispatch(upload(0))).rejects.toThrow('It is gone.')
    await expect(round.over).rejects.toThrow('GRAFT_DATABASE_UNAVAILABLE')
    expect(round.state).toMatchObject({ phase: 'collecting', updates: {} })
  })

  it('should journal together what comes while the journal is being written, before it acts on any', async () => {
    const coordinator = createCoordinator()
    coordinator.context.rules = { cohortSize: 3, quorum: 3, goal: 3 }
    const round = coordinator.start()
    const clients = [0, 1, 2]
    const ready = (n: number): RoundEvent => ({
      ...{ type: 'client-ready', round: round1, client: client(n) },
    })
    for (const n of clients) await round.dispatch(ready(n))
    // Until nothing is being decided any more.
    await new Promise(setImmediate)

    const writes: [events: number, fused: number][] = []
    const { journal } = coordinator.context
    coordinator.context.journal = async (events) => {
      await new Promise(setImmediate)
      writes.push([events.length, coordinator.fused.length])
      await journal(events)
    }
    const effects = await Promise.all(clients.map((n) => round.dispatch(upload(n))))
    expect(effects.map((of) => of.map(({ type }) => type))).toEqual([[], [], ['fuse']])
    await round.over
    expect(writes.slice(0, 2)).toEqual([
      [1, 0],
      [2, 0],
    ])
    const last = coordinator.journal
      .map(({ event }) => event)
      .filter(({ type }) => type === 'update-received')
    expect(last).toEqual(clients.map(upload))
  })

  it('should act on nothing of what came together when it cannot be journalled', async () => {
    const coordinator = createCoordinator()
    const round = coordinator.start()
    await joinAll(round)
    coordinator.context.journal = async () => {
      await new Promise(setImmediate)
      throw new GraftError('GRAFT_DATABASE_UNAVAILABLE', 'It is gone.')
    }
    const uploads = await Promise.allSettled([0, 1].map((n) => round.dispatch(upload(n))))
    expect(uploads.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(round.state).toMatchObject({ phase: 'collecting', updates: {} })
  })

  it('should accept nothing when it is closed, as nothing is journalled any more', async () => {
    const coordinator = createCoordinator()
    const round = coordinator.start()
    await joinAll(round)
    const before = coordinator.journal.length
    round.close()
    expect(await round.dispatch(upload(0))).toMatchObject([
      { type: 'reject-update', client: 'client-0', code: 'GRAFT_SERVER_UNREACHABLE' },
    ])
    expect(coordinator.journal).toHaveLength(before)
  })

  it('should fuse the quorum at the deadline', async () => {
    const coordinator = createCoordinator()
    const context = { ...coordinator.context, deadlineSeconds: 0.02 }
    const round = runRound(
      { ...context, rules: { cohortSize: 2, quorum: 1, goal: 2 } },
      startRound(round1),
    )
    await joinAll(round)
    await round.dispatch(upload(1))
    expect(await round.over).toMatchObject({ phase: 'published' })
    expect(coordinator.fused).toEqual([[client(1)]])
  })
})

// Helpers

function createCoordinator(past: PastEvent[] = []) {
  const journal = [...past]
  const said: string[] = []
  const fused: string[][] = []
  const failures: GraftError[] = []
  const context: RoundContext & { journal: RoundContext['journal'] } = {
    rules: { cohortSize: 2, quorum: 2, goal: 2 },
    deadlineSeconds: 3600,
    async journal(moves) {
      for (const { event } of moves) journal.push({ event, at: new Date() })
    },
    work: {
      async fuse(updates) {
        fused.push(Object.keys(updates))
        return { blob: blob(8), seconds: 1, state: blob(7) }
      },
      tune: async () => ({ blob: blob(9), seconds: 1, isTuned: true, epochs: 2 }),
      evaluate: async ({ fused, tuned }) => ({
        blob: tuned.blob,
        isNew: true,
        state: fused.state,
      }),
    },
    voice: {
      invite: (id) => void said.push(`invite ${id}`),
      published: () => void said.push('published'),
      failed: (code) => void said.push(`failed ${code}`),
    },
    onStep: () => undefined,
    onWorkFailed: (error) => void failures.push(error),
  }
  return {
    context: context as { -readonly [Key in keyof RoundContext]: RoundContext[Key] },
    journal,
    said,
    fused,
    failures,
    start: () => runRound(context, startRound(round1), past),
  }
}

/** The journal as a database gives it back: through JSON and its schema. */
function storedAndRead(journal: readonly PastEvent[]): PastEvent[] {
  return journal.flatMap(({ event, at }, i) =>
    parseJournal([{ seq: i + 1, event: JSON.parse(JSON.stringify(event)), at }]),
  )
}

async function joinAll(round: Round): Promise<void> {
  for (const n of [0, 1]) {
    await round.dispatch({ type: 'client-ready', round: round1, client: client(n) })
  }
}

/** What clients do whether or not the coordinator was restarted: join, and send if still asked to. */
async function everybodyUploads(round: Round): Promise<void> {
  await joinAll(round)
  for (const n of [0, 1]) await round.dispatch(upload(n))
}

function upload(from: number): RoundEvent {
  const update: Update = {
    blob: blob(from),
    numExamples: 10,
    classCounts: [5, 5],
    seconds: { train: 1, attribute: 1, upload: 1 },
    sizeBytes: 100,
  }
  return { type: 'update-received', round: round1, client: client(from), update }
}

const isUpdate = ({ event }: PastEvent) => event.type === 'update-received'

function isSame({ event }: PastEvent, other: RoundEvent): boolean {
  return 'client' in event && 'client' in other && event.client === other.client
}
