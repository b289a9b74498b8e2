import { describe, expect, it } from 'vitest'
import { attention } from '../../../../../client/dashboard/lib/attention.ts'
import {
  accuracyCurves,
  bestControl,
  shownValues,
  thinOut,
} from '../../../../../client/dashboard/lib/curves.ts'
import { classChanges, forgetting } from '../../../../../client/dashboard/lib/forgetting.ts'
import { countStates, trackOf } from '../../../../../client/dashboard/lib/lanes.ts'
import { eventsBefore } from '../../../../../client/dashboard/lib/recent-events.ts'
import { mayAct } from '../../../../../client/dashboard/lib/roles.ts'
import {
  chosen,
  commandLine,
  faultsByField,
  fieldLabel,
  groupFields,
} from '../../../../../client/dashboard/lib/run-form.ts'
import { CLIENT_STATES_ORDER } from '../../../../../client/dashboard/lib/state-order.ts'
import { parseOptions } from '../../../../../shared/command/command.ts'
import { RUN_OPTIONS } from '../../../../../shared/command/run-options.ts'
import { toGraftError } from '../../../../../shared/errors.ts'
import { comesAfter } from '../../../../../shared/protocol/operator/event-order.ts'
import { CLIENT_STATES } from '../../../../../shared/protocol/operator/live.ts'
import { mayAct as mayActThere, ROLES } from '../../../../../shared/protocol/operator/role.ts'
import { createLiveWorld } from '../../../../support/console/live-world.ts'
import { runFormOf } from '../../../../support/console/run-form.ts'
import { createWorld } from '../../../../support/console/world.ts'

const world = createWorld({ clients: 5, rounds: 12 })
const live = createLiveWorld(world)
const { options } = runFormOf(RUN_OPTIONS)

describe('what the page repeats of the schemas, which it loads without', () => {
  it('should order states as they do', () => {
    expect(CLIENT_STATES_ORDER).toEqual(CLIENT_STATES)
  })

  it('should give each role the same rights', () => {
    for (const role of ROLES)
      for (const needed of ROLES) expect(mayAct(role, needed)).toBe(mayActThere(role, needed))
  })
})

describe('lanes', () => {
  it('should never go back on its way through a round', () => {
    const way = ['invited', 'pulling', 'training', 'attributing', 'uploading', 'accepted'] as const
    const places = way.flatMap((state) => [
      trackOf({ state, done: 0 }),
      trackOf({ state, done: 1 }),
    ])
    expect(places).toEqual(places.toSorted((a, b) => a - b))
    expect([places[0], places.at(-1)]).toEqual([0, 1])
  })

  it('should count states in the order of a round', () => {
    const lanes = (['accepted', 'training', 'away', 'training'] as const).map((state) => ({
      state,
    }))
    expect(countStates(lanes)).toEqual([
      ['away', 1],
      ['training', 2],
      ['accepted', 1],
    ])
  })
})

describe('curves', () => {
  it('should leave out what was not measured', () => {
    const [first, ...rest] = world.summaries
    const without = { ...first!, controls: { ...first!.controls, ensemble: null } }
    const curves = accuracyCurves([without, ...rest])
    expect(curves.find(({ id }) => id === 'ensemble')!.points[0]!.x).toBe(2)
    expect(accuracyCurves([])).toEqual([])
  })

  it('should let the first rounds of a long run leave the picture, and none of a short one', () => {
    const curve = (count: number) => ({
      ...{ id: 'a', label: 'a', colour: 'red' },
      points: Array.from({ length: count }, (_, x) => ({ x, y: x === 0 ? 0 : 1 })),
    })
    expect(Math.min(...shownValues([curve(10)]))).toBe(0)
    expect(Math.min(...shownValues([curve(100)]))).toBe(1)
  })

  it('should draw few points as they are and many as means with their extremes', () => {
    const points = Array.from({ length: 10 }, (_, x) => ({ x, y: x % 2 }))
    expect(thinOut(points, 10).map(({ x, y }) => ({ x, y }))).toEqual(points)
    const thin = thinOut(points, 5)
    expect(thin).toHaveLength(5)
    expect(thin[0]).toEqual({ x: 0.5, y: 0.5, low: 0, high: 1 })
  })

  it('should not take the ensemble for a control that a single model has to beat', () => {
    const controls = { ...world.summaries[0]!.controls, ensemble: 1, averageTuned: 0.99 }
    expect(bestControl({ controls })).toEqual({ label: 'average + tuning', accuracy: 0.99 })
  })
})

describe('forgetting', () => {
  it('should measure each class against the best of all rounds before', () => {
    const rounds = [
      [0.5, 0.9],
      [0.8, 0.7],
      [0.6, 0.95],
    ].map((classAccuracy, i) => ({
      ...world.summaries[0]!,
      round: (i + 1) as never,
      published: { ...world.summaries[0]!.published, classAccuracy },
    }))
    const changes = classChanges(rounds, 3)
    expect(changes.map(({ best }) => best)).toEqual([0.8, 0.9])
    // (0.8 - 0.6 + 0.9 - 0.95) / 2
    expect(forgetting(changes)).toBeCloseTo(0.075, 12)
    expect(forgetting(classChanges(rounds, 1))).toBeNull()
  })
})

describe('attention', () => {
  const federation = live.federation()
  const at = Date.parse(federation.round!.phaseSince)
  const seen = { federation, lanes: [], rounds: [], nowMs: at }

  it('should be silent while all is well', () => {
    expect(attention(seen)).toEqual([])
  })

  it('should tell of a deadline that comes before the quorum, and not of one that does not', () => {
    const deadline = Date.parse(federation.round!.deadlineAt!)
    const near = { ...seen, nowMs: deadline - 20_000 }
    expect(attention(near)[0]!.text).toContain('3 updates are missing')
    const round = { ...federation.round!, updates: 3 }
    expect(attention({ ...near, federation: { ...federation, round } })).toEqual([])
  })

  it('should name who is away or set aside, and only a few of many', () => {
    const lanes = Array.from({ length: 6 }, (_, i) => ({
      ...live.lanes()[0]!,
      client: `c${i}` as never,
      state: 'away' as const,
    }))
    expect(attention({ ...seen, lanes })[0]!.text).toBe(
      'Gone from the round: c0, c1, c2 and 3 more.',
    )
  })

  it('should tell how long the gate has kept a model, and of a control that was better', () => {
    const last = world.summaries[0]!
    const kept = { ...last, published: { ...last.published, candidate: 'kept' as const } }
    const texts = attention({ ...seen, rounds: [last, kept, kept] }).map(({ text }) => text)
    expect(texts[0]).toContain('for 2 rounds')
    expect(texts[1]).toMatch(/behind “proxy set alone”/)
  })
})

describe('eventsBefore', () => {
  it('should ask for the last events of a run, for all where there are few, for none without one', () => {
    expect(eventsBefore('4.120', 40)).toBe('4.80')
    expect(eventsBefore('4.12', 40)).toBe('4.0')
    expect(eventsBefore('', 40)).toBeUndefined()
    expect(comesAfter('4.81', eventsBefore('4.120', 40)!)).toBe(true)
  })
})

describe('the form of a run', () => {
  it('should show every option that an operator may choose, once', () => {
    const shown = groupFields(options).flatMap(({ fields }) => fields.map(({ name }) => name))
    const free = options.filter(({ isFixed }) => !isFixed).map(({ name }) => name)
    expect(shown.toSorted()).toEqual(free.toSorted())
  })

  it('should send and say only what differs from the defaults', () => {
    const values = {
      clients: ' 5 ',
      rounds: '1',
      strategy: 'nt:tree=joint',
      rehearse: true,
      publish: '',
    }
    expect(chosen(options, values)).toEqual({
      clients: '5',
      strategy: 'nt:tree=joint',
      rehearse: true,
    })
    expect(commandLine(options, values)).toBe(
      'graft coordinator --clients 5 --strategy nt:tree=joint --rehearse',
    )
  })

  it('should quote for a shell', () => {
    expect(commandLine(options, { dataset: "anna's set" })).toBe(
      `graft coordinator --dataset 'anna'\\''s set'`,
    )
  })

  it('should find the field of each fault in the words of the command line', () => {
    const faults = faultsByField(refusal({ clients: '0', learningRate: 'fast' }), options)
    expect([...faults.keys()].toSorted()).toEqual(['clients', 'learningRate'])
    expect(faults.get('clients')).toMatch(/^--clients "0" is not allowed/)
    expect(faultsByField('The proxy set leaves no example.', options).has('')).toBe(true)
  })

  it('should name fields as people do', () => {
    expect(fieldLabel('tuneLearningRate')).toBe('Tune learning rate')
  })
})

// Helpers

function refusal(given: Record<string, unknown>): string {
  try {
    parseOptions(RUN_OPTIONS, given)
  } catch (error) {
    return toGraftError(error).problem
  }
  throw new Error('It was not refused.')
}
