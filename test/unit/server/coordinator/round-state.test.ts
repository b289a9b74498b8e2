import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  effectsOf,
  NEXT_PHASES,
  refusalOf,
  type RoundEvent,
  type RoundRules,
  type RoundState,
  startRound,
  type Step,
  step,
} from '../../../../server/coordinator/round-state.ts'
import { BlobId, ClientId, RoundNumber } from '../../../../shared/ids.ts'

const rules: RoundRules = { cohortSize: 3, quorum: 2, goal: 3 }
const round1 = RoundNumber.parse(1)
const round2 = RoundNumber.parse(2)
const client = (n: number) => ClientId.parse(`client-${n}`)
const blob = (n: number) => BlobId.parse(n.toString(16).padStart(64, '0'))
const fused = { blob: blob(8), seconds: 1 }
const tuned = { blob: blob(9), seconds: 2, isTuned: true, epochs: 3 }
const publication = { blob: blob(9), isNew: true }

describe('step', () => {
  it('should go from recruiting to published when every client answers', () => {
    const steps = play([...readies(0, 1, 2), ...updates(0, 1, 2), ...work()])
    expect(steps.at(-1)?.state).toEqual({
      phase: 'published',
      round: 1,
      cohort: [client(0), client(1), client(2)],
      publication,
    })
    expect(effectTypes(steps)).toEqual([
      'start-deadline',
      'invite',
      'fuse',
      'tune',
      'evaluate',
      'publish',
    ])
  })

  it('should list the cohort in id order, whoever came first', () => {
    const state = stateAfter(readies(2, 0, 1))
    expect(state).toMatchObject({ cohort: [client(0), client(1), client(2)] })
  })

  it('should begin with a quorum when recruiting takes too long', () => {
    const state = stateAfter([...readies(0, 2), deadline()])
    expect(state).toMatchObject({ phase: 'collecting', cohort: [client(0), client(2)] })
  })

  it('should go on recruiting below the quorum, with a new deadline', () => {
    const last = play([...readies(0), deadline()]).at(-1)
    expect(last).toEqual({
      state: { phase: 'recruiting', round: 1, ready: [client(0)] },
      effects: [{ type: 'start-deadline' }],
    })
  })

  it('should not invite a client that left while recruiting', () => {
    const left: RoundEvent = { type: 'client-left', round: round1, client: client(0) }
    expect(stateAfter([...readies(0, 1), left, ...readies(2)])).toMatchObject({
      phase: 'recruiting',
      ready: [client(1), client(2)],
    })
  })

  it('should keep the update of a client that leaves after it', () => {
    const left: RoundEvent = { type: 'client-left', round: round1, client: client(0) }
    const state = stateAfter([...readies(0, 1, 2), ...updates(0), left, ...updates(1, 2)])
    expect(state).toMatchObject({ phase: 'fusing', updates: { [client(0)]: { blob: blob(0) } } })
  })

  it('should invite a client again that comes back without having sent its update', () => {
    const steps = play([...readies(0, 1, 2), ...updates(0), ...readies(1), ...readies(0)])
    expect(steps.at(-2)?.effects).toEqual([{ type: 'invite', clients: [client(1)] }])
    expect(steps.at(-1)?.effects).toEqual([])
  })

  it('should fuse what has come at the deadline when it is a quorum', () => {
    expect(stateAfter([...readies(0, 1, 2), ...updates(0, 2), deadline()])).toMatchObject({
      phase: 'fusing',
      updates: { [client(0)]: {}, [client(2)]: {} },
    })
  })

  it('should fuse as soon as there are enough updates, and refuse those that come later', () => {
    const overSelecting = { ...rules, goal: 2 }
    let state = startRound(round1)
    for (const event of [...readies(0, 1, 2), ...updates(2)]) {
      state = step(overSelecting, state, event).state
    }
    expect(state.phase).toBe('collecting')
    const [second, third] = updates(0, 1)
    state = step(overSelecting, state, second!).state
    expect(state).toMatchObject({ phase: 'fusing', updates: { [client(0)]: {}, [client(2)]: {} } })
    expect(step(overSelecting, state, third!).effects).toEqual([
      { type: 'reject-update', client: client(1), code: 'GRAFT_ROUND_STALE' },
    ])
  })

  it('should not wait for more updates than there are clients in the cohort', () => {
    const small = [...readies(0, 1), deadline(), ...updates(0, 1)]
    expect(stateAfter(small)).toMatchObject({ phase: 'fusing' })
  })

  it('should fail at the deadline below the quorum', () => {
    expect(stateAfter([...readies(0, 1, 2), ...updates(0), deadline()])).toEqual({
      phase: 'failed',
      round: 1,
      code: 'GRAFT_COHORT_TOO_SMALL',
    })
  })

  it('should fail with the code of the work that failed', () => {
    const failure: RoundEvent = { type: 'work-failed', round: round1, code: 'GRAFT_DISK_FULL' }
    expect(stateAfter([...readies(0, 1, 2), ...updates(0, 1, 2), failure])).toEqual({
      phase: 'failed',
      round: 1,
      code: 'GRAFT_DISK_FULL',
    })
  })

  it.each([
    { case: 'a stranger', from: 4, of: round1, code: 'GRAFT_NOT_IN_COHORT' },
    { case: 'another round', from: 0, of: round2, code: 'GRAFT_ROUND_STALE' },
  ])('should reject an update from $case with $code and keep the state', ({ from, of, code }) => {
    const collecting = stateAfter(readies(0, 1, 2))
    const event: RoundEvent = { ...update(from, 1), round: of }
    const next = step(rules, collecting, event)
    expect(next.effects).toEqual([{ type: 'reject-update', client: client(from), code }])
    expect(next.state).toBe(collecting)
    expect(refusalOf(collecting, client(from), of)).toBe(code)
  })

  it('should treat the end that an operator asks for as the deadline', () => {
    const end: RoundEvent = { type: 'round-ended', round: round1, by: 'operator:ada' }
    fc.assert(
      fc.property(historyOf(round1), (history) => {
        expect(play([...history, end]).at(-1)).toEqual(play([...history, deadline()]).at(-1))
      }),
    )
  })

  it('should leave out the update of a client that is banned while it collects', () => {
    const state = stateAfter([...readies(0, 1, 2), ...updates(0), ban(0)])
    expect(state).toMatchObject({ phase: 'collecting', cohort: [client(1), client(2)] })
    expect(state).toHaveProperty('updates', {})
    expect(refusalOf(state, client(0), round1)).toBe('GRAFT_NOT_IN_COHORT')
  })

  it('should fuse when a ban leaves nobody to wait for', () => {
    const last = play([...readies(0, 1, 2), ...updates(0, 2), ban(1)]).at(-1)
    expect(last?.state).toMatchObject({ phase: 'fusing', cohort: [client(0), client(2)] })
    expect(last?.effects).toMatchObject([{ type: 'fuse' }])
  })

  it('should fail when a ban leaves fewer clients than the quorum', () => {
    const state = stateAfter([...readies(0, 1, 2), ban(0), ban(1)])
    expect(state).toMatchObject({ phase: 'failed', code: 'GRAFT_COHORT_TOO_SMALL' })
  })

  it('should not count a banned client while it recruits, and keep its update once it is fused', () => {
    expect(stateAfter([...readies(0, 1), ban(0)])).toMatchObject({ ready: [client(1)] })
    const fusing = stateAfter([...readies(0, 1, 2), ...updates(0, 1, 2)])
    expect(step(rules, fusing, ban(0))).toEqual({ state: fusing, effects: [] })
  })

  it('should never fuse the update of a client that was banned before', () => {
    const events = [ban(0), ...updates(0, 1, 2), deadline()]
    const order = fc.shuffledSubarray(events, { minLength: 3 })
    fc.assert(
      fc.property(order, (tail) => {
        const steps = play([...readies(0, 1, 2), ...tail])
        steps.forEach(({ effects }, i) => {
          const isBanned = tail.slice(0, i - 2).some(({ type }) => type === 'client-banned')
          for (const effect of effects) {
            if (effect.type === 'fuse' && isBanned) {
              expect(Object.keys(effect.updates)).not.toContain(client(0))
            }
          }
        })
      }),
    )
  })

  it('should reject a late update', () => {
    const fusing = stateAfter([...readies(0, 1, 2), ...updates(0, 2), deadline()])
    expect(step(rules, fusing, update(1, 1)).effects).toEqual([
      { type: 'reject-update', client: client(1), code: 'GRAFT_ROUND_STALE' },
    ])
  })

  it('should keep the first of two updates from one client', () => {
    const state = stateAfter([...readies(0, 1, 2), ...updates(0), update(0, 7)])
    expect(state).toMatchObject({ updates: { [client(0)]: { blob: blob(0) } } })
  })

  it('should not be moved by an event of another round', () => {
    fc.assert(
      fc.property(historyOf(round1), eventOf(round2), (history, stale) => {
        const state = stateAfter(history)
        expect(step(rules, state, stale).state).toBe(state)
      }),
    )
  })

  it('should move only along NEXT_PHASES, whatever happens', () => {
    fc.assert(
      fc.property(historyOf(round1), (history) => {
        let before = startRound(round1)
        for (const { state } of play(history)) {
          if (state.phase !== before.phase) expect(NEXT_PHASES[before.phase]).toContain(state.phase)
          before = state
        }
      }),
    )
  })

  it('should fuse at most once, and only updates of the cohort', () => {
    fc.assert(
      fc.property(historyOf(round1), (history) => {
        const steps = play(history)
        const cohort = steps.flatMap(({ state }) => ('cohort' in state ? [state.cohort] : []))[0]
        const fusions = steps.flatMap(({ effects }) => effects).filter((e) => e.type === 'fuse')
        expect(fusions.length).toBeLessThanOrEqual(1)
        for (const id of fusions.flatMap((effect) => Object.keys(effect.updates))) {
          expect(cohort).toContain(id)
        }
      }),
    )
  })

  it('should perform, on entering a phase, what a restart in that phase performs', () => {
    fc.assert(
      fc.property(historyOf(round1), (history) => {
        let before = startRound(round1)
        for (const { state, effects } of play(history)) {
          if (state.phase !== before.phase) expect(effects).toEqual(effectsOf(state))
          before = state
        }
      }),
    )
  })

  it('should not depend on the order in which clients come and send', () => {
    const order = fc.shuffledSubarray([0, 1, 2], { minLength: 3 })
    fc.assert(
      fc.property(order, order, (joining, sending) => {
        const state = stateAfter([...readies(...joining), ...updates(...sending)])
        expect(state).toEqual(stateAfter([...readies(0, 1, 2), ...updates(0, 1, 2)]))
      }),
    )
  })

  it('should go on without the updates that were set aside before fusion', () => {
    const outlier = { client: client(2), norm: 9, distance: 9, score: 9 }
    const checks = (isSetAside: boolean) => ({
      threshold: 5,
      median: { norm: 1, distance: 1 },
      outliers: [{ ...outlier, isSetAside }],
      attribution: [],
    })
    const after = (isSetAside: boolean) =>
      stateAfter([
        ...readies(1, 2, 3),
        ...updates(1, 2, 3),
        { type: 'model-fused', round: round1, fused: { ...fused, checks: checks(isSetAside) } },
      ])
    const clients = (state: RoundState) => ('updates' in state ? Object.keys(state.updates) : [])
    expect(clients(after(true))).toEqual([client(1), client(3)])
    expect(clients(after(false))).toEqual([client(1), client(2), client(3)])
  })
})

// Helpers

function play(events: readonly RoundEvent[]): Step[] {
  let state = startRound(round1)
  return events.map((event) => {
    const next = step(rules, state, event)
    state = next.state
    return next
  })
}

function stateAfter(events: readonly RoundEvent[]): RoundState {
  return play(events).at(-1)?.state ?? startRound(round1)
}

function effectTypes(steps: readonly Step[]): string[] {
  return steps.flatMap(({ effects }) => effects.map(({ type }) => type))
}

function readies(...clients: number[]): RoundEvent[] {
  return clients.map((n) => ({ type: 'client-ready', round: round1, client: client(n) }))
}

function updates(...clients: number[]): RoundEvent[] {
  return clients.map((n) => update(n, n))
}

function update(from: number, content: number): RoundEvent & { type: 'update-received' } {
  return {
    type: 'update-received',
    round: round1,
    client: client(from),
    update: {
      blob: blob(content),
      numExamples: 10,
      classCounts: [5, 5],
      seconds: { train: 1, attribute: 1, upload: 1 },
      sizeBytes: 100,
    },
  }
}

function ban(n: number): RoundEvent {
  return { type: 'client-banned', round: round1, client: client(n), by: 'operator:ada' }
}

function deadline(): RoundEvent {
  return { type: 'deadline-passed', round: round1 }
}

function work(): RoundEvent[] {
  return [
    { type: 'model-fused', round: round1, fused },
    { type: 'model-tuned', round: round1, tuned },
    { type: 'model-evaluated', round: round1, publication },
  ]
}

/** Any event of one round, from a cohort of clients 0-2 and two strangers. */
function eventOf(of: RoundNumber): fc.Arbitrary<RoundEvent> {
  const someone = fc.nat(4).map(client)
  return fc.oneof(
    someone.map((id): RoundEvent => ({ type: 'client-ready', round: of, client: id })),
    someone.map((id): RoundEvent => ({ type: 'client-left', round: of, client: id })),
    fc
      .tuple(fc.nat(4), fc.nat(9))
      .map(([from, content]): RoundEvent => ({ ...update(from, content), round: of })),
    someone.map((id): RoundEvent => ({
      type: 'client-banned',
      round: of,
      client: id,
      by: 'operator:ada',
    })),
    fc.constantFrom<RoundEvent>(
      { type: 'round-ended', round: of, by: 'operator:ada' },
      { type: 'model-chosen', round: of, model: blob(3), by: 'operator:ada' },
      ...work().map((event) => ({ ...event, round: of })),
      { type: 'deadline-passed', round: of },
      { type: 'work-failed', round: of, code: 'GRAFT_SHAPE_MISMATCH' },
    ),
  )
}

/** A history that often starts past recruiting, so that late phases are reached too. */
function historyOf(of: RoundNumber): fc.Arbitrary<RoundEvent[]> {
  const events = fc.array(eventOf(of), { maxLength: 30 })
  return fc.oneof(
    events,
    events.map((tail) => [...readies(0, 1, 2), ...tail]),
    events.map((tail) => [...readies(0, 1, 2), ...updates(0, 1, 2), ...tail]),
  )
}
